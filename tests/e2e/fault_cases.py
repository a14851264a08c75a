"""Every way in which the vendors can fail, and what must come of it. Kinds are those of ``sandbox.fault_kinds``.

Why the vendor's answers mean what is expected here: ``docs/vendors.md``. In short, what was surely refused fails at
once, what was surely not taken is sent again, and what is unknown waits for a webhook and is never sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.fault_kinds import MODEL_ERRORS, REQUEST_ERRORS, Operation

ALWAYS = 10_000
"""Of a fault's strikes: more than there are tries."""

REASONS = {
    "content_policy_violation": "content_policy",
    "no_media_generated": "no_output",
    "file_download_error": "invalid_input",
    "image_too_large": "invalid_input",
    "image_too_small": "invalid_input",
    "image_load_error": "invalid_input",
    "face_detection_error": "invalid_input",
    "generation_timeout": "timed_out",
    "request_timeout": "timed_out",
    "bad_request": "internal",
}
"""Of the vendor's error types; all others are the vendor's trouble."""


@dataclass(frozen=True)
class Case:
    """A fault and its outcome. ``reason`` is empty for a success, ``own_words`` unless the prompt was to be improved
    and was not."""

    operation: Operation
    kind: str
    reason: str = ""
    count: int = 1
    seconds: float = 300.0
    webhook: str = ""
    """What else is wrong: with the webhook."""
    type: str = "imagen4"
    asked: int = 1
    delivered: int = 0
    jobs: int = 1
    """How often the vendor took it."""
    own_words: str = ""

    @property
    def name(self) -> str:
        words = [
            self.operation,
            self.kind,
            "always" if self.count == ALWAYS else "",
            f"webhook {self.webhook}" if self.webhook else "",
            self.type if self.type != "imagen4" else "",
        ]
        return "-".join(word.replace(" ", "_") for word in words if word)


def delivered(operation: Operation, kind: str, **more: Any) -> Case:
    """It is made all the same."""
    return Case(operation, kind, **({"delivered": 1} | more))


def failed(operation: Operation, kind: str, reason: str, **more: Any) -> Case:
    return Case(operation, kind, reason, **more)


def _lost_answers() -> Iterator[Case]:
    """Nobody knows whether the vendor has it: it waits for a webhook, and is never sent again."""
    for kind in ("drop", "html", "broken_json", *(f"http_{code}" for code in (408, 409, 500, 502, 503, 504))):
        yield failed("submit", kind, "vendor_unavailable", jobs=0)
    for kind in (
        "drop_after",
        "broken_json_after",
        *(f"http_{code}_after" for code in (408, 409, 500, 502, 503, 504)),
    ):
        yield delivered("submit", kind)
    for kind in ("drop_after", "http_503_after"):
        yield failed("submit", kind, "vendor_unavailable", webhook="never")
    for kind in ("bad_signature", "unsigned", "garbage"):
        yield failed("submit", "drop_after", "vendor_unavailable", webhook=kind)
    yield delivered("submit", "drop_after", webhook="twice")
    yield delivered("submit", "slow_after")


def _clear_answers() -> Iterator[Case]:
    """The vendor said no: at once, or later with the result."""
    yield delivered("submit", "http_429", count=2)
    yield failed("submit", "http_401", "internal", jobs=0)
    yield failed("submit", "http_403", "internal", jobs=0)
    yield failed("submit", "model_not_found", "vendor_unavailable", jobs=0)
    for kind, (status, _) in MODEL_ERRORS.items():
        if status < 500:
            yield failed("submit", kind, REASONS.get(kind, "vendor_unavailable"), jobs=0)
    for kind in (*MODEL_ERRORS, *REQUEST_ERRORS):
        yield failed("generation", kind, REASONS.get(kind, "vendor_unavailable"))


def _bad_results() -> Iterator[Case]:
    yield delivered("generation", "two_of_four", asked=4, delivered=2)
    yield failed("generation", "no_outputs", "no_output")
    yield failed("generation", "wrong_shape", "no_output")
    yield failed("generation", "flagged", "no_output", asked=2)
    yield failed("generation", "flagged", "content_policy", type="avatar", asked=2)
    yield delivered("generation", "one_flagged", type="avatar", asked=2)
    for kind in ("drop", "html", "broken_json", "http_500", "http_503", "not_found", "unknown_status"):
        yield delivered("status", kind, webhook="never")
    for kind in ("drop", "http_503"):
        yield delivered("result", kind)


def _bad_files() -> Iterator[Case]:
    for kind in ("html", "text", "huge", "endless", "corrupt"):
        yield failed("media", kind, "no_output", count=ALWAYS)
    for kind in ("empty", "not_found", "http_503"):
        yield failed("media", kind, "internal", count=ALWAYS)
    for kind in ("drop", "truncated", "http_503", "wrong_type"):
        yield delivered("media", kind)


def _bad_tools() -> Iterator[Case]:
    yield failed("moderation", "flagged", "content_policy", jobs=0)
    for kind in ("http_503", "slow", "broken_json", "drop"):
        yield failed("moderation", kind, "vendor_unavailable", count=ALWAYS, jobs=0)
    yield delivered("enhancement", "refusal", count=ALWAYS, own_words="refused")
    for kind in ("http_503", "slow", "broken_json", "broken_text", "wrong_shape", "empty", "too_long", "incomplete"):
        yield delivered("enhancement", kind, count=ALWAYS, own_words="unavailable")


def _never_ready() -> Iterator[Case]:
    """Ended by their deadline, which is short for video."""
    for kind in ("stuck", "stuck_in_queue", "vanished"):
        yield failed("generation", kind, "timed_out", type="video", count=ALWAYS, webhook="never")


CASES = (*_never_ready(), *_lost_answers(), *_clear_answers(), *_bad_results(), *_bad_files(), *_bad_tools())
"""In the order in which they are begun: those that take long first."""
