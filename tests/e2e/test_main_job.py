"""The main job, end to end, as callers see it: on the real service, its database and the sandbox, as processes."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from clients.sdk import (
    AsyncTriptych,
    FailureReason,
    GenerationState,
    InsufficientCredits,
    LedgerEntryKind,
    MediaKind,
    PromptSource,
    RefundCause,
)
from sandbox.control import SandboxControl
from tests.support.following import PATIENCE_SECONDS, balance, end_of, jobs_of
from tests.support.system import RunningSystem, new_user
from tests.support.vendors import picture_bytes

pytestmark = pytest.mark.timeout(300)


async def test_a_grant_counts_once(triptych: AsyncTriptych) -> None:
    user_id = new_user()
    first = await triptych.grant_credits(user_id, 100, grant_id="welcome")
    again = await triptych.grant_credits(user_id, 100, grant_id="welcome")
    assert (first.created, again.created) == (True, False)
    assert await balance(triptych, user_id) == 100


async def test_a_picture_from_a_plain_sentence(triptych: AsyncTriptych, anna: str) -> None:
    requested = await triptych.request_generation(anna, "imagen4", "кот на крыше ночью")
    assert requested.generation.state is GenerationState.QUEUED
    assert await balance(triptych, anna) == 95
    async with asyncio.timeout(PATIENCE_SECONDS):
        seen = [each async for each in triptych.watch_generation(requested.generation.generation_id)]
    done = seen[-1]
    positions = [each.update_position for each in seen]
    assert positions == sorted(positions)
    assert done.state is GenerationState.SUCCEEDED
    assert done.prompt == "кот на крыше ночью"
    # The improvement has seconds, not minutes: on a machine that cannot breathe the user's own words are right, too.
    improved = done.prompt_source is PromptSource.IMPROVED
    assert (done.effective_prompt != done.prompt) is improved
    (item,) = done.items
    assert (item.kind, item.type, item.credits) == (MediaKind.IMAGE, "imagen4", 5)
    assert await balance(triptych, anna) == 95


async def test_two_of_four(triptych: AsyncTriptych, anna: str) -> None:
    done = await triptych.generate(anna, "imagen4", "море [sandbox:two-of-four]", output_count=4)
    assert (done.state, len(done.items)) == (GenerationState.SUCCEEDED, 2)
    assert (done.credits_debited, done.credits_refunded) == (20, 10)
    assert await balance(triptych, anna) == 90


async def test_an_avatar_from_a_reference_picture(triptych: AsyncTriptych, anna: str) -> None:
    reference = await triptych.upload_reference(anna, picture_bytes(size=(256, 320)))
    again = await triptych.upload_reference(anna, picture_bytes(size=(256, 320)))
    assert again.media_id == reference.media_id
    done = await triptych.generate(
        anna, "avatar", "я в горах", reference_media_id=reference.media_id, aspect_ratio="3:4"
    )
    assert (done.state, len(done.items), done.aspect_ratio) == (GenerationState.SUCCEEDED, 1, "3:4")
    assert await balance(triptych, anna) == 90


async def test_a_video(triptych: AsyncTriptych, anna: str) -> None:
    done = await triptych.generate(anna, "video", "волны у скал")
    assert done.state is GenerationState.SUCCEEDED
    (item,) = done.items
    assert (item.kind, item.media.content_type) == (MediaKind.VIDEO, "video/mp4")
    assert item.media.duration_seconds > 0
    assert item.thumbnail.content_type == "image/webp"
    assert await balance(triptych, anna) == 60


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("что-то запрещённое", FailureReason.CONTENT_POLICY),
        ("лес [sandbox:internal-server-error]", FailureReason.VENDOR_UNAVAILABLE),
    ],
    ids=["refused by the moderation", "failed by the vendor"],
)
async def test_what_cannot_be_made_is_paid_back_in_full(
    triptych: AsyncTriptych, anna: str, prompt: str, reason: FailureReason
) -> None:
    failed = await triptych.generate(anna, "imagen4", prompt, output_count=4)
    assert failed.state is GenerationState.FAILED
    assert failed.failure is not None
    assert failed.failure.reason is reason
    assert failed.failure.message.ru
    assert failed.failure.message.en
    assert (failed.credits_debited, failed.credits_refunded) == (20, 20)
    assert await balance(triptych, anna) == 100


async def test_the_same_request_twice_is_one_picture_and_one_charge(
    triptych: AsyncTriptych, control: SandboxControl, anna: str
) -> None:
    sent = [
        triptych.request_generation(anna, "imagen4", f"маяк {anna}", request_id="lighthouse", enhance_prompt=False)
        for _ in range(8)
    ]
    answers = await asyncio.gather(*sent)
    assert [answer.created for answer in answers].count(True) == 1
    assert len({answer.generation.generation_id for answer in answers}) == 1
    done = await end_of(triptych, answers[0].generation)
    assert len(done.items) == 1
    assert await balance(triptych, anna) == 95
    assert len(await jobs_of(control, anna)) == 1


async def test_beyond_the_balance_nothing_is_taken(triptych: AsyncTriptych) -> None:
    user_id = new_user()
    await triptych.grant_credits(user_id, 12)
    with pytest.raises(InsufficientCredits) as refused:
        await triptych.request_generation(user_id, "imagen4", "город", output_count=3)
    assert (refused.value.balance, refused.value.price) == (12, 15)
    assert refused.value.code == "FAILED_PRECONDITION"
    assert await balance(triptych, user_id) == 12
    assert len(await triptych.list_generations(user_id)) == 0


async def test_many_at_once_never_overdraw(triptych: AsyncTriptych) -> None:
    user_id = new_user()
    await triptych.grant_credits(user_id, 17)
    sent = [triptych.request_generation(user_id, "imagen4", f"город {n}") for n in range(10)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    refusals = [answer for answer in answers if isinstance(answer, InsufficientCredits)]
    assert (len(answers) - len(refusals), len(refusals)) == (3, 7)
    assert await balance(triptych, user_id) == 2


async def test_gallery_statement_and_files(triptych: AsyncTriptych, system: RunningSystem, anna: str) -> None:
    reference = await triptych.upload_reference(anna, picture_bytes(size=(256, 256)))
    await triptych.generate(anna, "imagen4", "старый маяк", output_count=2, enhance_prompt=False)
    await triptych.generate(anna, "avatar", "я у моря", reference_media_id=reference.media_id)
    await triptych.generate(anna, "video", "волны")
    await triptych.generate(anna, "imagen4", "forbidden")

    counts = {each.type: each.count for each in await triptych.count_items(anna)}
    assert counts == {"avatar": 1, "imagen4": 2, "video": 1}
    everything = [item async for item in triptych.iter_items(anna, page_size=3)]
    assert [item.type for item in everything] == ["video", "avatar", "imagen4", "imagen4"]
    for name, count in counts.items():
        assert len([item async for item in triptych.iter_items(anna, type=name)]) == count
    assert len([item async for item in triptych.iter_items(anna, words="маяк")]) == 2

    for item in everything:
        for media in (item.media, item.thumbnail):
            content = (system.data_dir / "media" / media.key).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (media.size_bytes, media.sha256)

    entries = list(reversed((await triptych.list_ledger_entries(anna, page_size=100)).items))
    assert [entry.amount for entry in entries] == [100, -10, -10, -40, -5, 5]
    assert [entry.balance_after for entry in entries] == [100, 90, 80, 40, 35, 40]
    assert (entries[0].kind, entries[0].note) == (LedgerEntryKind.GRANT, "welcome")
    assert (entries[-1].refund_cause, entries[-1].failure_reason) == (
        RefundCause.FAILED,
        FailureReason.CONTENT_POLICY,
    )


async def test_everybody_reads_what_was_written(triptych: AsyncTriptych, system: RunningSystem, anna: str) -> None:
    for number in range(1, 11):
        await triptych.grant_credits(anna, 1)
        assert await balance(triptych, anna) == 100 + number
    async with AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as other:
        # Its first answer of a command carries the position from which it reads on.
        await other.grant_credits(anna, 1)
        assert await balance(other, anna) == 111
