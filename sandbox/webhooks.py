"""Announces results as fal does: signed POSTs, repeated until they are taken, and sometimes late, twice or never.

Signed are request id, user id, timestamp and sha256hex(body), joined by newlines, with Ed25519; the public key is
served as a JWKS.
A delivery that is not answered with 2xx is repeated a bounded number of times (the vendor: ten times in two hours).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections import deque
from dataclasses import asdict, dataclass
from ssl import SSLContext
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sandbox.background import Background
from sandbox.faults import Fault, FaultBoard
from sandbox.jobs import Job

USER_ID: Final = "sandbox-user"
_ATTEMPTS: Final = 8
_FIRST_DELAY_SECONDS: Final = 0.5
_MAX_DELAY_SECONDS: Final = 30.0
_TIMEOUT_SECONDS: Final = 15.0
_STALE_SECONDS: Final = 600
_DELIVERIES_KEPT: Final = 10_000
_AT_A_TIME: Final = 32


class WebhookKeys:
    """One Ed25519 key pair, new for every sandbox."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()

    def jwks(self) -> dict[str, Any]:
        """The key set that a receiver fetches."""
        public = base64.urlsafe_b64encode(self._private.public_key().public_bytes_raw()).rstrip(b"=").decode()
        return {
            "keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "use": "sig", "alg": "EdDSA", "kid": "sandbox"}]
        }

    def headers(self, request_id: str, body: bytes, timestamp: int) -> dict[str, str]:
        """The four headers that prove where ``body`` is from."""
        message = "\n".join((request_id, USER_ID, str(timestamp), hashlib.sha256(body).hexdigest()))
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": USER_ID,
            "X-Fal-Webhook-Timestamp": str(timestamp),
            "X-Fal-Webhook-Signature": self._private.sign(message.encode()).hex(),
        }


@dataclass(frozen=True)
class Delivery:
    """One attempt. ``status`` is the receiver's answer, 0 if there was none; ``error`` says why."""

    request_id: str
    url: str
    attempt: int
    status: int
    error: str


class Webhooks:
    """Delivers results. ``speed`` shortens the pauses between repeats."""

    def __init__(
        self, background: Background, faults: FaultBoard, keys: WebhookKeys, trust: SSLContext, speed: float
    ) -> None:
        self._background = background
        self._faults = faults
        self._keys = keys
        self._pace = min(speed, 20.0)
        self._client = httpx.AsyncClient(verify=trust, timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._slots = asyncio.Semaphore(_AT_A_TIME)
        self._held: list[asyncio.Event] = []
        self._deliveries: deque[Delivery] = deque(maxlen=_DELIVERIES_KEPT)

    def announce(self, job: Job) -> None:
        """Delivers a job's result in the background, as the next webhook fault says."""
        if job.webhook_url:
            self._background.start(self._announce(job, self._faults.take("webhook", job.prompt)))

    def announce_again(self, job: Job) -> None:
        """Delivers it once more, whatever became of the first time."""
        if job.webhook_url:
            self._background.start(self._deliver(job, ""))

    def deliveries(self) -> list[dict[str, Any]]:
        return [asdict(delivery) for delivery in self._deliveries]

    def clear(self) -> None:
        self._deliveries.clear()

    async def close(self) -> None:
        await self._client.aclose()

    async def _announce(self, job: Job, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind == "never":
            return
        if fault is not None and kind == "late":
            await self._background.pause(fault.seconds)
        if fault is not None and kind == "out_of_order":
            await self._wait_for_another(fault.seconds)
        for _ in range(2 if kind == "twice" else 1):
            await self._deliver(job, kind)
        if kind != "out_of_order":
            for held in self._held:
                held.set()

    async def _wait_for_another(self, seconds: float) -> None:
        held = asyncio.Event()
        self._held.append(held)
        try:
            await asyncio.wait_for(held.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._held.remove(held)

    async def _deliver(self, job: Job, kind: str) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            if self._background.closing:
                return
            async with self._slots:
                delivery = await self._post(job, kind, attempt)
            self._deliveries.append(delivery)
            if 200 <= delivery.status < 300:
                job.webhooks_sent += 1
                return
            delay = min(_MAX_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2 ** (attempt - 1))
            await self._background.pause(delay / self._pace)

    async def _post(self, job: Job, kind: str, attempt: int) -> Delivery:
        request_id = str(uuid.uuid4()) if kind == "wrong_request_id" else job.request_id
        body = b'{"request_id": "' if kind == "garbage" else json.dumps(envelope(job, request_id)).encode()
        timestamp = int(time.time()) - (_STALE_SECONDS if kind == "stale_timestamp" else 0)
        headers = {} if kind == "unsigned" else self._keys.headers(request_id, body, timestamp)
        if kind == "bad_signature":
            headers["X-Fal-Webhook-Signature"] = self._keys.headers(request_id, body + b" ", timestamp)[
                "X-Fal-Webhook-Signature"
            ]
        headers["Content-Type"] = "application/json"
        try:
            answer = await self._client.post(job.webhook_url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Delivery(request_id, job.webhook_url, attempt, 0, f"{type(error).__name__}: {error}")
        return Delivery(request_id, job.webhook_url, attempt, answer.status_code, "")


def envelope(job: Job, request_id: str) -> dict[str, Any]:
    """The webhook's body for a job that has ended."""
    common: dict[str, Any] = {"request_id": request_id, "gateway_request_id": request_id}
    if job.error is None:
        return common | {"status": "OK", "error": None, "payload": job.payload}
    reason = f"Invalid status code: {job.error.status}"
    return common | {"status": "ERROR", "error": reason, "payload": job.error.body}
