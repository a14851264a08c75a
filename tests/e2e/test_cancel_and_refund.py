"""Changing one's mind: cancelled in time or too late, and refunded by hand, on the service as it runs."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from clients.sdk import AlreadyRefunded, AsyncTriptych, GenerationState, NotCancellable, NothingToRefund, RefundCause
from sandbox.control import SandboxControl
from tests.support.following import PATIENCE_SECONDS, balance, end_of, jobs_of, once

ALWAYS = 10_000
pytestmark = pytest.mark.timeout(300)


async def test_a_refund_by_hand_is_made_once(triptych: AsyncTriptych, anna: str) -> None:
    done = await triptych.generate(anna, "imagen4", "море [sandbox:two-of-four]", output_count=4)
    refunded = await triptych.refund_generation(done.generation_id, "the picture was blurred", actor="olga")
    assert (refunded.credits_refunded, refunded.account.balance) == (10, 100)
    with pytest.raises(AlreadyRefunded) as refused:
        await triptych.refund_generation(done.generation_id, "again", actor="ivan")
    first = refused.value
    assert (first.actor, first.note) == ("olga", "the picture was blurred")
    assert first.refund_time is not None
    assert await balance(triptych, anna) == 100
    newest = (await triptych.list_ledger_entries(anna)).items[0]
    assert (newest.refund_cause, newest.actor, newest.note) == (
        RefundCause.MANUAL,
        "olga",
        "the picture was blurred",
    )


async def test_of_what_came_back_already_nothing_is_left_to_refund(triptych: AsyncTriptych, anna: str) -> None:
    failed = await triptych.generate(anna, "imagen4", "forbidden")
    with pytest.raises(NothingToRefund) as refused:
        await triptych.refund_generation(failed.generation_id, "sorry", actor="olga")
    assert (refused.value.debited, refused.value.refunded) == (5, 5)
    assert await balance(triptych, anna) == 100


async def test_cancelled_before_the_vendor_has_it(
    triptych: AsyncTriptych, control: SandboxControl, anna: str
) -> None:
    await control.fail_next("moderation", "slow", count=ALWAYS, seconds=20, match=anna)
    requested = await triptych.request_generation(anna, "imagen4", f"город {anna}", enhance_prompt=False)
    cancelled = await triptych.cancel_generation(requested.generation.generation_id, user_id=anna)
    assert cancelled.state is GenerationState.CANCELLED
    assert await balance(triptych, anna) == 100
    assert await jobs_of(control, anna) == []


async def test_cancelled_while_it_waits_at_the_vendor(triptych: AsyncTriptych, anna: str) -> None:
    requested = await triptych.request_generation(anna, "imagen4", "город [sandbox:stuck-in-queue]")
    await once(triptych, requested.generation, GenerationState.SUBMITTED)
    await triptych.cancel_generation(requested.generation.generation_id, user_id=anna)
    done = await end_of(triptych, requested.generation)
    assert (done.state, done.credits_refunded) == (GenerationState.CANCELLED, 5)
    assert await balance(triptych, anna) == 100


async def test_too_late_to_cancel_says_why(triptych: AsyncTriptych, control: SandboxControl, anna: str) -> None:
    # Finished at the vendor, and its file cannot be fetched yet.
    await control.fail_next("media", "http_503", count=ALWAYS, match=anna)
    requested = await triptych.request_generation(anna, "imagen4", f"город {anna}", enhance_prompt=False)
    await once(triptych, requested.generation, GenerationState.SUBMITTED)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not [job for job in await jobs_of(control, anna) if job.status == "COMPLETED"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    # The vendor's word may come within the call or, on a slow machine, after it.
    with contextlib.suppress(NotCancellable):
        await triptych.cancel_generation(requested.generation.generation_id, user_id=anna)
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for each in triptych.watch_generation(requested.generation.generation_id):
            if each.cancel_refusal:
                break
    assert "too late to cancel" in each.cancel_refusal
    await control.clear_faults()
    done = await end_of(triptych, requested.generation)
    assert (done.state, len(done.items)) == (GenerationState.SUCCEEDED, 1)
    with pytest.raises(NotCancellable) as refused:
        await triptych.cancel_generation(done.generation_id, user_id=anna)
    assert refused.value.state == "succeeded"
    assert await balance(triptych, anna) == 95
