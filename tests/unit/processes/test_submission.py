"""The step that may cost money: given what the vendor answers, then what is recorded, and when it is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from service.domain.decider import DomainEvent
from service.domain.generation import events as e
from service.domain.generation.state import Phase
from service.ports.media_provider import Accepted, AnswerLost, NotTaken, Refused, SubmitOutcome, SubmitRequest
from tests.support.bench import Bench, virtually
from tests.support.samples import (
    DEADLINE,
    GENERATION_ID,
    after,
    debited,
    enhanced,
    failed,
    granted,
    moderated,
    refunded,
    requested,
    submission_deferred,
    submission_started,
)

READY = (granted(100), debited(), requested(), moderated(), enhanced())


def answering(answer: SubmitOutcome) -> Callable[[SubmitRequest], Awaitable[SubmitOutcome]]:
    async def on_submit(_request: SubmitRequest) -> SubmitOutcome:
        return answer

    return on_submit


async def ready(answer: SubmitOutcome) -> Bench:
    bench = Bench()
    await bench.happened(*READY)
    bench.vendor.on_submit = answering(answer)
    return bench


async def new_events(bench: Bench) -> list[DomainEvent]:
    return list(await bench.log(after=len(READY)))


@virtually
async def test_what_the_vendor_takes_was_announced_first() -> None:
    bench = await ready(Accepted("job-1"))
    due_at = await bench.advance()
    assert [type(event) for event in await new_events(bench)] == [e.SubmissionStarted, e.GenerationSubmitted]
    assert due_at is not None
    [request] = bench.vendor.submits
    assert (request.prompt, request.output_count, request.aspect_ratio) == (enhanced().prompt, 4, "1:1")


@virtually
async def test_what_the_vendor_refuses_ends_with_a_refund() -> None:
    bench = await ready(Refused("invalid_input", "no such model"))
    assert await bench.advance() is None
    [_, refund, end] = await new_events(bench)
    assert refund == refunded(20, "failed", "invalid_input")
    assert end == e.GenerationFailed(
        generation_id=GENERATION_ID, failure_reason="invalid_input", credits_refunded=20, detail="no such model"
    )


@virtually
async def test_what_the_vendor_surely_did_not_take_is_sent_again_later() -> None:
    bench = await ready(NotTaken("connection refused", retry_after_seconds=20))
    due_at = await bench.advance()
    assert due_at is not None
    assert due_at >= after(20)
    bench.vendor.on_submit = answering(Accepted("job-1"))
    await asyncio.sleep(21)
    await bench.advance()
    assert len(bench.vendor.submits) == 2
    assert (await bench.generations.load(GENERATION_ID)).provider_request_id == "job-1"


@virtually
async def test_the_next_try_is_never_later_than_the_deadline() -> None:
    bench = await ready(NotTaken("busy", retry_after_seconds=600))
    await asyncio.sleep(290)
    assert await bench.advance() == DEADLINE
    await asyncio.sleep(11)
    assert await bench.advance() is None
    assert (await bench.generations.load(GENERATION_ID)).failure_reason == "timed_out"


@virtually
async def test_a_lost_answer_is_waited_for_and_not_sent_again() -> None:
    bench = await ready(AnswerLost("connection reset"))
    assert await bench.advance() == after(120)
    assert await bench.advance() == after(120)
    await asyncio.sleep(121)
    assert await bench.advance() is None
    assert len(bench.vendor.submits) == 1
    assert (await bench.generations.load(GENERATION_ID)).failure_reason == "vendor_unavailable"


@virtually
async def test_a_defect_of_the_adapter_is_a_lost_answer() -> None:
    bench = await ready(Accepted("never told"))

    async def defect(_request: SubmitRequest) -> SubmitOutcome:
        raise KeyError("request_id")

    bench.vendor.on_submit = defect
    assert await bench.advance() == after(120)


@virtually
async def test_an_adapter_that_never_answers_is_a_lost_answer() -> None:
    bench = await ready(Accepted("never told"))

    async def silence(_request: SubmitRequest) -> SubmitOutcome:
        return await asyncio.Future()

    bench.vendor.on_submit = silence
    due_at = await bench.advance()
    assert (await bench.generations.load(GENERATION_ID)).phase is Phase.SUBMITTING
    assert due_at == after(120)


@virtually
async def test_an_answer_after_the_end_is_taken_off_the_vendors_bill() -> None:
    bench = await ready(Accepted("job-1"))

    async def too_late(_request: SubmitRequest) -> SubmitOutcome:
        await bench.happened(refunded(20), failed())
        return Accepted("job-1")

    bench.vendor.on_submit = too_late
    await bench.advance()
    assert bench.vendor.cancels == [("job-1", True)]
    assert (await new_events(bench))[-1] == e.LateReportReceived(
        generation_id=GENERATION_ID, provider_request_id="job-1", vendor_status="accepted, cancelled"
    )


@virtually
async def test_a_second_job_is_cancelled_where_a_webhook_told_of_the_first() -> None:
    bench = await ready(Accepted("job-2"))
    await bench.happened(submission_started(), submission_deferred(retry_at_seconds=0))

    async def first_reported_meanwhile(_request: SubmitRequest) -> SubmitOutcome:
        await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
        return Accepted("job-2")

    bench.vendor.on_submit = first_reported_meanwhile
    await bench.advance()
    assert bench.vendor.cancels == [("job-2", True)]
    state = await bench.generations.load(GENERATION_ID)
    assert (state.phase, state.provider_request_id) == (Phase.SUBMITTED, "job-1")


@virtually
async def test_a_webhook_before_the_answer_is_the_same_job() -> None:
    bench = await ready(Accepted("job-1"))

    async def reported_first(_request: SubmitRequest) -> SubmitOutcome:
        await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
        return Accepted("job-1")

    bench.vendor.on_submit = reported_first
    await bench.advance()
    assert bench.vendor.cancels == []


@virtually
async def test_only_the_worker_that_announced_it_calls() -> None:
    """Two workers on one generation at the same moment: a lease that ran out."""
    bench = await ready(Accepted("job-1"))
    await asyncio.gather(*(bench.advance() for _ in range(5)))
    assert len(bench.vendor.submits) == 1
    assert sum(event == submission_started() for event in await new_events(bench)) == 1
