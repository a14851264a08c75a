"""Jobs: what was submitted, how far it is, what came of it.

A job goes IN_QUEUE -> IN_PROGRESS -> COMPLETED. How far it is follows from two moments (submitted, started) and the
outcome; positions and log lines are computed when somebody asks, so that a waiting job costs nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.fal_errors import VendorError
from sandbox.faults import Fault
from sandbox.media import DrawnFile
from sandbox.models import Model

_MAX_RECORDED_CHARACTERS: Final = 2_000
_LOG_LINES: Final = (
    (0.0, "Request picked up by a runner"),
    (0.08, "Prompt encoded"),
    (0.3, "Sampling:  25% done"),
    (0.5, "Sampling:  50% done"),
    (0.7, "Sampling:  75% done"),
    (0.9, "Sampling: 100% done"),
    (0.96, "Encoding the output"),
)


@dataclass(eq=False)
class Job:
    """One accepted request.

    Attributes:
        model: what was asked.
        arguments: the request's JSON body, unchecked.
        webhook_url: where the result is announced, empty if nowhere.
        queue_seconds, run_seconds: how long each takes.
        plan: the fault that decides what becomes of it, if any.
        payload: the output, once there is one.
        error: why there is none, once that is known.
        files: what was delivered, by name.
        seed: the asked seed, or one that follows from the arguments.
        vanished: the vendor has forgotten it.
    """

    model: Model
    arguments: dict[str, Any]
    webhook_url: str
    queue_seconds: float
    run_seconds: float
    plan: Fault | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    submitted_at: float = field(default_factory=time.monotonic)
    submitted_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: float | None = None
    finished_at: float | None = None
    payload: dict[str, Any] | None = None
    error: VendorError | None = None
    files: dict[str, DrawnFile] = field(default_factory=dict)
    seed: int = field(init=False)
    vanished: bool = False
    cancel_requests: int = 0
    webhooks_sent: int = 0
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.seed = _seed_of(self.model, self.arguments)

    @property
    def prompt(self) -> str:
        prompt = self.arguments.get("prompt")
        return prompt if isinstance(prompt, str) else ""

    @property
    def cancelled(self) -> bool:
        return self.error is not None and self.error.error_type == "client_cancelled"

    @property
    def status(self) -> str:
        if self.finished_at is not None:
            return "COMPLETED"
        return "IN_QUEUE" if self.started_at is None else "IN_PROGRESS"

    @property
    def queue_position(self) -> int:
        """How many are ahead, counting down to 0 as the time in the queue passes."""
        ahead = 2 + int(self.request_id[0], 16) % 4
        waited = (time.monotonic() - self.submitted_at) / self.queue_seconds if self.queue_seconds else 1.0
        return max(0, math.ceil(ahead * (1 - waited)) - 1)

    def start(self) -> None:
        self.started_at = time.monotonic()

    def succeed(self, payload: dict[str, Any], files: list[DrawnFile]) -> None:
        self.payload = payload
        self.files = {file.name: file for file in files}
        self.finished_at = time.monotonic()

    def fail(self, error: VendorError) -> None:
        self.error = error
        self.finished_at = time.monotonic()

    def shorten_arguments(self) -> None:
        """Lets go of pictures that came inside the arguments, once they have been read."""
        self.arguments = {name: _shortened(value) for name, value in self.arguments.items()}

    def log_lines(self) -> list[dict[str, str]]:
        """What the runner has said so far."""
        if self.started_at is None:
            return []
        until = self.finished_at or time.monotonic()
        progress = (until - self.started_at) / self.run_seconds if self.run_seconds else 1.0
        if self.finished_at is not None and self.error is None:
            progress = 1.0
        began = self.submitted_time + timedelta(seconds=self.started_at - self.submitted_at)
        return [
            {
                "message": message,
                "level": "INFO",
                "source": "USER",
                "timestamp": (began + timedelta(seconds=part * self.run_seconds)).isoformat(),
            }
            for part, message in _LOG_LINES
            if part <= progress
        ]

    def view(self) -> dict[str, Any]:
        """What the control API shows."""
        return {
            "request_id": self.request_id,
            "model": self.model.name,
            "arguments": {name: _shortened(value) for name, value in self.arguments.items()},
            "webhook_url": self.webhook_url,
            "status": self.status,
            "error_type": self.error.error_type if self.error else "",
            "cancelled": self.cancelled,
            "cancel_requests": self.cancel_requests,
            "outputs": len(self.files),
            "webhooks_sent": self.webhooks_sent,
            "submitted_time": self.submitted_time.isoformat(),
        }


class JobStore:
    """The last ``kept`` jobs, by request id, in the order of their submission."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def add(self, job: Job) -> None:
        self._jobs[job.request_id] = job
        while len(self._jobs) > self._kept:
            _, oldest = self._jobs.popitem(last=False)
            if oldest.task is not None:
                oldest.task.cancel()

    def get(self, request_id: str) -> Job | None:
        return self._jobs.get(request_id)

    def all(self) -> list[Job]:
        return list(self._jobs.values())

    def clear(self) -> None:
        """Forgets all jobs and stops those that run."""
        for job in self._jobs.values():
            if job.task is not None:
                job.task.cancel()
        self._jobs.clear()


def _seed_of(model: Model, arguments: dict[str, Any]) -> int:
    """The asked seed, or one that follows from the arguments: the same request gives the same pictures."""
    asked = arguments.get("seed")
    if isinstance(asked, int):
        return asked
    text = json.dumps([model.name, arguments], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _shortened(value: Any) -> Any:
    """Long strings (pictures in data URIs) become their beginning, length and hash."""
    if isinstance(value, str) and len(value) > _MAX_RECORDED_CHARACTERS and value.startswith("data:"):
        digest = hashlib.sha256(value.encode()).hexdigest()
        return f"{value[:64]}… ({len(value)} characters, sha256 {digest})"
    return value
