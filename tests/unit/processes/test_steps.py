"""Steps that come too late change nothing, and steps that would wait for ever do not."""

from __future__ import annotations

import asyncio

from service.domain.fulfilment import GiveUp, Policy, RecordCancelled, next_step
from service.domain.generation import events as e
from service.domain.generation.state import Phase
from service.ports.media_provider import Completed, ProducedFile, Refused, Unreachable, Waiting
from service.ports.media_store import CollectedOutput, MediaRejected, MediaUnavailable
from service.ports.prompt_tools import ImprovementRefused, ModerationVerdict, ToolUnavailable
from service.processes.steps import perform
from tests.support.bench import CLAIM, Bench, virtually
from tests.support.samples import (
    DEADLINE,
    GENERATION_ID,
    after,
    cancellation_requested,
    debited,
    enhanced,
    granted,
    image,
    moderated,
    refunded,
    requested,
    submission_started,
    submitted,
    succeeded,
)

PAID = (granted(100), debited(), requested())
SUBMITTING = (*PAID, moderated(), enhanced(), submission_started())
SUBMITTED = (*SUBMITTING, submitted())
FILES = tuple(ProducedFile(url=f"https://vendor.example/{index}") for index in range(4))


@virtually
async def test_giving_up_is_overtaken_by_a_webhook() -> None:
    bench = Bench()
    stale = await bench.happened(*SUBMITTING)
    await asyncio.sleep(121)
    step = next_step(stale, bench.clock.now(), bench.tools.policy)
    assert isinstance(step, GiveUp)
    await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
    await perform(bench.tools, stale, CLAIM, step)
    assert (await bench.generations.load(GENERATION_ID)).phase is Phase.SUBMITTED


@virtually
async def test_a_cancellation_of_the_unknown_is_overtaken_by_a_webhook() -> None:
    bench = Bench()
    stale = await bench.happened(*SUBMITTING, cancellation_requested())
    await asyncio.sleep(121)
    step = next_step(stale, bench.clock.now(), bench.tools.policy)
    assert isinstance(step, RecordCancelled)
    await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
    await perform(bench.tools, stale, CLAIM, step)
    assert (await bench.generations.load(GENERATION_ID)).phase is Phase.SUBMITTED


@virtually
async def test_a_moderation_that_stays_away_fails_the_request_when_patience_ends() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    bench.prompt_tools.verdict = ToolUnavailable("503")
    due_at = await bench.advance()
    assert due_at is not None
    assert due_at < after(60)
    await asyncio.sleep(121)
    assert await bench.advance() is None
    assert (await bench.log())[-2] == refunded(20, "failed", "vendor_unavailable")


@virtually
async def test_the_end_of_patience_is_overtaken_by_another_workers_verdict() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    bench.prompt_tools.verdict = ToolUnavailable("503")
    bench.prompt_tools.meanwhile = lambda: bench.happened(moderated())
    await asyncio.sleep(121)
    stale = await bench.generations.load(GENERATION_ID)
    await perform(bench.tools, stale, CLAIM, next_step(stale, bench.clock.now(), bench.tools.policy))
    assert not (await bench.generations.load(GENERATION_ID)).ended


@virtually
async def test_where_the_operator_prefers_it_prompts_pass_unmoderated() -> None:
    bench = Bench(policy=Policy(pass_unmoderated=True))
    state = await bench.happened(*PAID)
    bench.prompt_tools.verdict = ToolUnavailable("503")
    await perform(bench.tools, state, CLAIM, next_step(state, bench.clock.now(), bench.tools.policy))
    assert (await bench.log())[-1] == e.PromptModerated(generation_id=GENERATION_ID, allowed=True, skipped=True)


@virtually
async def test_a_refused_prompt_ends_with_a_refund() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    bench.prompt_tools.verdict = ModerationVerdict(allowed=False, categories=("violence",))
    assert await bench.advance() is None
    state = await bench.generations.load(GENERATION_ID)
    assert (state.phase, state.failure_reason, state.credits_refunded) == (Phase.FAILED, "content_policy", 20)


@virtually
async def test_words_that_are_not_improved_are_the_users_own_and_the_event_says_why() -> None:
    cases: tuple[tuple[ToolUnavailable | ImprovementRefused, e.OwnWordsReason], ...] = (
        (ToolUnavailable("slow"), "unavailable"),
        (ImprovementRefused("no"), "refused"),
    )
    for answer, why in cases:
        bench = Bench()
        state = await bench.happened(*PAID, moderated())
        bench.prompt_tools.improved = answer
        await perform(bench.tools, state, CLAIM, next_step(state, bench.clock.now(), bench.tools.policy))
        settled = (await bench.log())[-1]
        assert settled == e.PromptEnhanced(
            generation_id=GENERATION_ID, prompt="a red fox in the snow", source="own_words", own_words_reason=why
        )


@virtually
async def test_what_is_delivered_is_kept_and_what_is_not_comes_back() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def html() -> CollectedOutput:
        raise MediaRejected("this is HTML")

    bench.media.instead[FILES[1].url] = html
    bench.vendor.looks = [Completed((*FILES[:3], ProducedFile(url="x", flagged=True)))]
    assert await bench.advance() is None
    [refund, first, second, end] = await bench.log(after=len(SUBMITTED))
    assert (refund, first, second) == (refunded(10, "undelivered"), image(0), image(2))
    assert isinstance(end, e.GenerationSucceeded)
    assert end.undelivered_detail == ("output 1: this is HTML; output 3 was flagged by the vendor's safety checker")


@virtually
async def test_a_file_that_cannot_be_had_is_tried_again_and_then_paid_back() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def gone() -> CollectedOutput:
        raise MediaUnavailable("404")

    bench.media.instead[FILES[0].url] = gone
    bench.vendor.looks = [Completed(FILES)]
    assert await bench.advance() is not None
    await asyncio.sleep(bench.tools.pace.media_patience_seconds + 1)
    assert await bench.advance() is None
    assert (await bench.log())[-1] == e.GenerationSucceeded(
        generation_id=GENERATION_ID, delivered_count=3, credits_refunded=5, undelivered_detail="output 0: 404"
    )


@virtually
async def test_files_that_cannot_be_had_are_no_fault_of_the_users_words() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def gone() -> CollectedOutput:
        raise MediaUnavailable("the disk is full")

    bench.media.instead = {file.url: gone for file in FILES}
    bench.vendor.looks = [Completed(FILES)]
    assert await bench.advance() is not None
    await asyncio.sleep(bench.tools.pace.media_patience_seconds + 1)
    assert await bench.advance() is None
    assert (await bench.log())[-2] == refunded(20, "failed", "internal")


@virtually
async def test_an_overdue_generation_is_cancelled_at_the_vendor_and_paid_back() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)
    assert await bench.advance() is not None
    await asyncio.sleep(301)
    assert await bench.advance() is None
    assert bench.vendor.cancels == [("job-1", True)]
    assert (await bench.log())[-2] == refunded(20, "failed", "timed_out")


@virtually
async def test_an_overdue_generation_does_not_wait_for_a_file_that_hangs() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def hang() -> CollectedOutput:
        return await asyncio.Future()

    bench.media.instead[FILES[3].url] = hang
    bench.vendor.looks = [Completed(FILES)]
    await asyncio.sleep(301)
    assert await bench.advance() is None
    state = await bench.generations.load(GENERATION_ID)
    assert (state.phase, len(state.items), state.credits_refunded) == (Phase.SUCCEEDED, 3, 5)


@virtually
async def test_a_vendor_that_is_away_is_looked_at_again_never_later_than_the_deadline() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)
    bench.vendor.looks = [Unreachable("504")]
    await asyncio.sleep(299.9)
    due_at = await bench.advance()
    assert due_at is not None
    assert due_at <= DEADLINE


@virtually
async def test_a_wish_to_cancel_is_the_vendors_to_grant() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED, cancellation_requested())
    bench.vendor.verdicts = ["unreachable", "being_made"]
    assert await bench.advance() is not None
    bench.vendor.looks = [Waiting()]
    assert await bench.advance() is not None
    assert (await bench.generations.load(GENERATION_ID)).cancel_refused_why.startswith("It is too late")
    await bench.generations.step(GENERATION_ID, lambda _state: [cancellation_requested()], bench.tools.context)
    bench.vendor.verdicts = ["cancelled"]
    assert await bench.advance() is None
    assert (await bench.generations.load(GENERATION_ID)).phase is Phase.CANCELLED


@virtually
async def test_a_refusal_by_the_vendor_is_paid_back_with_its_reason() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)
    bench.vendor.looks = [Refused("content_policy", "safety")]
    assert await bench.advance() is None
    assert (await bench.generations.load(GENERATION_ID)).failure_reason == "content_policy"


@virtually
async def test_what_has_ended_needs_no_step() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED, *map(image, range(4)), succeeded(4))
    assert await bench.advance() is None


@virtually
async def test_a_look_that_hangs_lasts_no_longer_than_the_deadline() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def hang(_model: str, _id: str) -> Waiting:
        await asyncio.Event().wait()
        return Waiting()

    bench.vendor.look = hang  # type: ignore[method-assign, assignment]
    begun_at = bench.clock.now()
    assert await bench.advance() is None
    late_seconds = (bench.clock.now() - max(begun_at, DEADLINE)).total_seconds()
    assert late_seconds <= bench.tools.pace.expire_timeout_seconds + 1
    assert (await bench.log())[-2] == refunded(20, "failed", "timed_out")


@virtually
async def test_a_file_that_drips_is_waited_for_no_longer_than_the_deadline() -> None:
    bench = Bench()
    await bench.happened(*SUBMITTED)

    async def drip() -> CollectedOutput:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    bench.media.instead[FILES[0].url] = drip
    bench.vendor.looks = [Completed(FILES)]
    assert await bench.advance() is None
    late_seconds = (bench.clock.now() - DEADLINE).total_seconds()
    assert late_seconds <= 2 * bench.tools.pace.expire_timeout_seconds + 1
    [end] = [event for event in await bench.log() if isinstance(event, e.GenerationSucceeded)]
    assert end.delivered_count == 3
