"""Which event makes a generation due, and when."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.application.due import DUE_EVENT_TYPES, Begun, Due, Ended, due_after
from service.domain.decider import DomainEvent
from service.ports.event_store import Metadata, RecordedEvent
from tests.support import samples
from tests.support.samples import DEADLINE, GENERATION_ID, USER, after

RECORDED_AT = after(1)
AT_ONCE = Due(GENERATION_ID, RECORDED_AT)
ENDED = Ended(GENERATION_ID)


def recorded(event: DomainEvent) -> RecordedEvent:
    return RecordedEvent(1, "s", 1, uuid4(), event, Metadata(), RECORDED_AT)  # type: ignore[arg-type]


CASES: list[tuple[DomainEvent, Begun | Due | Ended]] = [
    (samples.requested(), Begun(GENERATION_ID, USER, RECORDED_AT, DEADLINE)),
    (samples.moderated(), AT_ONCE),
    (samples.enhanced(), AT_ONCE),
    (samples.submission_started(), AT_ONCE),
    (samples.submission_deferred(retry_at_seconds=10), Due(GENERATION_ID, after(10))),
    (samples.submitted(), AT_ONCE),
    (samples.cancellation_requested(), AT_ONCE),
    (samples.cancellation_refused(), AT_ONCE),
    (samples.succeeded(1), ENDED),
    (samples.failed(), ENDED),
    (samples.cancelled(), ENDED),
]


@pytest.mark.parametrize(("event", "expected"), CASES, ids=lambda value: type(value).__name__)
def test_when_it_is_due(event: DomainEvent, expected: Begun | Due | Ended) -> None:
    assert due_after(recorded(event)) == expected


def test_every_type_that_matters_is_here() -> None:
    assert {type(event).__name__ for event, _ in CASES} == DUE_EVENT_TYPES


@pytest.mark.parametrize("event", [samples.granted(1), samples.image(0)], ids=lambda event: type(event).__name__)
def test_other_events_are_not_asked_about(event: DomainEvent) -> None:
    with pytest.raises(TypeError, match=type(event).__name__):
        due_after(recorded(event))
