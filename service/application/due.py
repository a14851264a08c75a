"""What an event means for the work list: when its generation needs its next step.

One rule for every work list, in a database or in memory. It says when to look, not what to do: that is decided
from the events when a worker gets there (``fulfilment.next_step``).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.domain.generation import events as e
from service.ports.event_store import RecordedEvent


class Begun(msgspec.Struct, frozen=True):
    """A generation that needs steps from now on."""

    generation_id: str
    user_id: str
    due_at: datetime
    deadline_at: datetime


class Due(msgspec.Struct, frozen=True):
    """Its next step is due at this moment."""

    generation_id: str
    due_at: datetime


class Ended(msgspec.Struct, frozen=True):
    """It needs no more steps."""

    generation_id: str


DUE_EVENT_TYPES: frozenset[str] = frozenset(
    event_type.__name__
    for event_type in (
        e.GenerationRequested,
        e.PromptModerated,
        e.PromptEnhanced,
        e.SubmissionStarted,
        e.SubmissionDeferred,
        e.GenerationSubmitted,
        e.CancellationRequested,
        e.CancellationRefused,
        e.GenerationSucceeded,
        e.GenerationFailed,
        e.GenerationCancelled,
    )
)
"""The types that ``due_after`` answers; every other event leaves the work list as it is."""


def due_after(recorded: RecordedEvent) -> Begun | Due | Ended:
    """What an event of one of ``DUE_EVENT_TYPES`` does to its generation's row.

    "At once" is the moment at which the store recorded the event: a row that waited longer comes first.
    """
    match recorded.event:
        case e.GenerationRequested() as event:
            return Begun(event.generation_id, event.user_id, recorded.recorded_at, event.deadline_at)
        case e.SubmissionDeferred() as event:
            return Due(event.generation_id, event.retry_at)
        case e.GenerationSucceeded() | e.GenerationFailed() | e.GenerationCancelled() as event:
            return Ended(event.generation_id)
        case (
            e.PromptModerated()
            | e.PromptEnhanced()
            | e.SubmissionStarted()
            | e.GenerationSubmitted()
            | e.CancellationRequested()
            | e.CancellationRefused() as event
        ):
            return Due(event.generation_id, recorded.recorded_at)
    raise TypeError(f"{recorded.type} says nothing about the work list")
