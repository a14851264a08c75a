"""The vendor that makes pictures and video.

What came of a call is a value, because every case is an ordinary one that the process must decide on; an
adapter raises only for its own defects. The cases of ``submit`` matter most, since a submit costs money:

- ``Accepted``: the vendor has it.
- ``Refused``: the vendor surely refused it, for good.
- ``NotTaken``: the vendor surely did not take it (the request did not leave, or it said so): may be sent again.
- ``AnswerLost``: it left and no answer came: the vendor may or may not have it. Never sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from service.domain.generation.events import FailureReason


class SubmitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made, in our own terms; the adapter knows the vendor's."""

    generation_id: str
    generation_type: str
    model: str
    prompt: str
    aspect_ratio: str
    output_count: int
    seed: int | None = None
    reference: bytes | None = None
    """The reference picture's bytes."""
    reference_content_type: str = ""
    arguments: Mapping[str, str | int | float | bool] = {}
    """Further vendor arguments from the catalog."""
    webhook_url: str = ""
    timeout_seconds: float = 30.0


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """The vendor has it, under this id."""

    provider_request_id: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The vendor surely refused it, for good. ``detail`` is for operators."""

    failure_reason: FailureReason
    detail: str


class NotTaken(msgspec.Struct, frozen=True, tag=True):
    """The vendor surely did not take it; it may be sent again."""

    detail: str
    retry_after_seconds: float = 0.0
    """What the vendor asked for, 0 if nothing."""


class AnswerLost(msgspec.Struct, frozen=True, tag=True):
    """It left and no answer came; it is never sent again."""

    detail: str


SubmitOutcome = Accepted | Refused | NotTaken | AnswerLost


class Waiting(msgspec.Struct, frozen=True, tag=True):
    """The vendor has it: in its queue (``queue_position`` from 0) or at work (None)."""

    queue_position: int | None = None
    log_line: str = ""


class ProducedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One output at the vendor. ``flagged`` ones (a safety checker's blank) were not delivered."""

    url: str
    content_type: str = ""
    size_bytes: int | None = None
    seed: int | None = None
    flagged: bool = False


class Completed(msgspec.Struct, frozen=True, tag=True):
    """It is done, and this is what came of it."""

    files: tuple[ProducedFile, ...]


class Unreachable(msgspec.Struct, frozen=True, tag=True):
    """No usable answer this time; look again later."""

    detail: str


LookOutcome = Waiting | Completed | Refused | Unreachable


CancelVerdict = Literal["cancelled", "being_made", "already_completed", "unknown_request", "unreachable"]


class MediaProvider(Protocol):
    """A vendor with a queue."""

    @property
    def name(self) -> str:
        """Of the vendor, as operators see it."""
        ...

    async def submit(self, request: SubmitRequest) -> SubmitOutcome:
        """Sends it, at most once, within ``timeout_seconds``."""
        ...

    async def look(self, model: str, provider_request_id: str) -> LookOutcome:
        """Asks how it stands, and fetches the result when it is done."""
        ...

    async def cancel(self, model: str, provider_request_id: str, *, force: bool = False) -> CancelVerdict:
        """Takes it out of the vendor's queue; with ``force`` also when it is being made."""
        ...
