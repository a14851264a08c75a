"""What must hold of one generation's events, in the order of the log. A part of ``audit``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from service.domain.generation import events as e

Problem = tuple[
    Literal["not_requested", "imported_twice", "ended_twice", "event_after_end", "submitted_twice", "wrong_outputs"],
    str,
]


class AuditedGeneration(msgspec.Struct):
    """What the log says about one generation. Amounts in credits."""

    debited: int = 0
    refunded: int = 0
    """With its end."""
    refunded_by_hand: int = 0
    credits_per_output: int = 0
    output_count: int = 0
    requested: bool = False
    imported_for: str = ""
    """The user, where it came from an older gallery."""
    listed_for: str = ""
    """The user in whose imports it is listed."""
    deadline_at: datetime | None = None
    outputs: int = 0
    indices: int = 0
    """A bit for each output's index."""
    in_flight: bool = False
    """A submission was started, and it is not known that the vendor did not take it."""
    attempts: int = 0
    provider_request_id: str = ""
    end: str = ""
    """Type of its end event; empty while it runs."""


_AFTER_THE_END = (e.LateReportReceived, e.ItemFavorited, e.ItemUnfavorited, e.ItemTrashed, e.ItemRestored)


def see_generation(generation: AuditedGeneration, event: msgspec.Struct) -> Iterator[Problem]:
    """Takes the event into account and yields what does not hold."""
    name = type(event).__name__
    if isinstance(event, e.GenerationRequested):
        if generation.requested:
            yield "not_requested", "is requested a second time"
        generation.requested = True
        generation.credits_per_output = event.credits_per_output
        generation.output_count = event.output_count
        generation.deadline_at = event.deadline_at
    elif isinstance(event, e.ItemImported):
        yield from _import(generation, event)
        return
    elif not generation.requested:
        yield "not_requested", f"has a {name} and was never requested"
    if isinstance(event, e.EndEvent):
        yield from _end(generation, event)
    elif generation.end and not isinstance(event, _AFTER_THE_END):
        yield "event_after_end", f"has a {name} after its {generation.end}"
    yield from _go_on(generation, event)


def _import(generation: AuditedGeneration, event: e.ItemImported) -> Iterator[Problem]:
    """It stands for the whole of what another gallery made: request, one output and end, at no price."""
    if generation.requested:
        yield "imported_twice", "is imported although it was requested or imported before"
    generation.requested = True
    generation.imported_for = event.user_id
    generation.output_count = generation.outputs = 1
    generation.end = generation.end or "ItemImported"


def _end(generation: AuditedGeneration, event: e.EndEvent) -> Iterator[Problem]:
    name = type(event).__name__
    if generation.end:
        yield "ended_twice", f"ends as {name} after it ended as {generation.end}"
    generation.end = generation.end or name
    told = event.delivered_count if isinstance(event, e.GenerationSucceeded) else 0
    if told != generation.outputs or told > generation.output_count or (told == 0) is (name == "GenerationSucceeded"):
        yield (
            "wrong_outputs",
            f"ends as {name} with {told} delivered, has {generation.outputs} outputs, "
            f"and was asked for {generation.output_count}",
        )


def _go_on(generation: AuditedGeneration, event: msgspec.Struct) -> Iterator[Problem]:
    match event:
        case e.SubmissionStarted():
            if generation.in_flight or event.attempt != generation.attempts + 1:
                yield "submitted_twice", f"starts attempt {event.attempt} while one may be at the vendor"
            generation.in_flight = True
            generation.attempts = event.attempt
        case e.SubmissionDeferred():
            generation.in_flight = False
        case e.GenerationSubmitted():
            if generation.provider_request_id or not generation.attempts:
                before = generation.provider_request_id or "no submission was started"
                yield "submitted_twice", f"is {event.provider_request_id} at the vendor; before that: {before}"
            generation.in_flight = True
            generation.provider_request_id = event.provider_request_id
        case e.ImageProduced() | e.VideoProduced():
            bit = 1 << min(max(event.index, 0), 127)
            if generation.indices & bit:
                yield "wrong_outputs", f"has two outputs {event.index}"
            generation.indices |= bit
            generation.outputs += 1
