"""A vendor's report is a hint: it wakes, it may teach an id, and it never ends anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.execute import Executor
from service.application.generations import Generations
from service.application.reports import Reports
from service.domain.decider import DomainEvent
from service.domain.errors import InvalidField, NotFound
from service.domain.generation import events as e
from service.domain.ids import generation_stream
from service.ports.event_store import NewEvent, StreamWrite
from tests.support import samples
from tests.support.samples import GENERATION_ID, NOW
from tests.support.webhooks import SetClock

STREAM = generation_stream(GENERATION_ID)
BEFORE_SUBMISSION = (samples.requested(), samples.moderated(), samples.enhanced())
SUBMITTING = (*BEFORE_SUBMISSION, samples.submission_started())


class Alarm:
    """The one thing of a work list that reports need."""

    def __init__(self) -> None:
        self.woken: list[tuple[str, datetime]] = []

    async def wake(self, generation_id: str, now: datetime) -> None:
        self.woken.append((generation_id, now))


class Office:
    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self.alarm = Alarm()
        work_list: Any = self.alarm
        no_media: Any = None
        generations = Generations(Executor(self.store), samples.CATALOG, no_media, SetClock(NOW))
        self.reports = Reports(generations, work_list, SetClock(NOW))

    async def given(self, *events: DomainEvent) -> None:
        new = tuple(NewEvent(uuid4(), event) for event in events)  # type: ignore[arg-type]
        await self.store.append([StreamWrite(STREAM, 0, new)])

    async def receive(self, job: str = "job-1", status: str = "OK") -> None:
        await self.reports.receive(GENERATION_ID, provider_request_id=job, vendor_status=status)

    async def events(self) -> Sequence[DomainEvent]:
        return [each.event for each in await self.store.read_stream(STREAM)]


@pytest.fixture
def office() -> Office:
    return Office()


def learned(job: str = "job-1") -> e.GenerationSubmitted:
    return e.GenerationSubmitted(generation_id=GENERATION_ID, provider_request_id=job, learned_from="webhook")


async def test_the_vendors_id_is_learned_where_the_answer_was_lost(office: Office) -> None:
    await office.given(*SUBMITTING)
    await office.receive()
    assert await office.events() == [*SUBMITTING, learned()]
    assert office.alarm.woken == [(GENERATION_ID, NOW)]


async def test_also_where_it_was_believed_not_to_have_arrived(office: Office) -> None:
    history = (*SUBMITTING, samples.submission_deferred())
    await office.given(*history)
    await office.receive()
    assert await office.events() == [*history, learned()]


async def test_a_report_before_any_submission_teaches_nothing(office: Office) -> None:
    await office.given(*BEFORE_SUBMISSION)
    await office.receive()
    assert await office.events() == [*BEFORE_SUBMISSION]


@pytest.mark.parametrize("status", ["OK", "ERROR"])
async def test_a_known_request_is_looked_at_sooner_and_that_is_all(office: Office, status: str) -> None:
    history = (*SUBMITTING, samples.submitted("job-1"))
    await office.given(*history)
    await office.receive(status=status)
    await office.receive(status=status)
    assert await office.events() == [*history]
    assert office.alarm.woken == [(GENERATION_ID, NOW)] * 2


async def test_another_requests_id_is_noted_in_the_log_and_not_taken(office: Office) -> None:
    history = (*SUBMITTING, samples.submitted("job-1"))
    await office.given(*history)
    with capture_logs() as logs:
        await office.receive("job-2")
    assert await office.events() == [*history]
    (entry,) = logs
    assert (entry["event"], entry["expected"], entry["received"]) == ("webhook_of_another_request", "job-1", "job-2")


async def test_after_a_failure_it_is_recorded_once(office: Office) -> None:
    history = (*SUBMITTING, samples.failed())
    await office.given(*history)
    await office.receive()
    await office.receive("job-2")
    late = e.LateReportReceived(generation_id=GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
    assert await office.events() == [*history, late]
    assert office.alarm.woken == []


async def test_after_a_success_it_is_no_news(office: Office) -> None:
    history = (*SUBMITTING, samples.submitted(), samples.image(0), samples.succeeded(1))
    await office.given(*history)
    await office.receive()
    assert await office.events() == [*history]


async def test_of_a_generation_that_does_not_exist(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.receive()
    with pytest.raises(InvalidField):
        await office.reports.receive("no id", provider_request_id="job-1", vendor_status="OK")
    assert office.alarm.woken == []
