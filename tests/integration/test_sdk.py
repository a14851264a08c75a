"""Both clients against the running service: what they ask is done, and what they are told is so."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest
from PIL import Image

from clients import sdk
from tests.support.relay import Relay
from tests.support.system import RunningSystem, new_user

BOUND_SECONDS = 60.0


@pytest.fixture
def client(system: RunningSystem) -> Iterator[sdk.Triptych]:
    with sdk.Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        yield client


def user_with(client: sdk.Triptych, credits: int) -> str:
    user_id = new_user()
    client.grant_credits(user_id, credits, grant_id="first")
    return user_id


def photo() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    return file.getvalue()


def test_from_the_request_to_the_file(client: sdk.Triptych, tmp_path: Path) -> None:
    user_id = user_with(client, 100)
    generation = client.generate(user_id, "imagen4", "a red fox in the snow", output_count=2).require_success()
    assert (generation.delivered_count, generation.credits_charged) == (2, 10)
    assert generation.prompt_source is sdk.PromptSource.IMPROVED
    for item in generation.items:
        saved = client.download(user_id, item.item_id, tmp_path)
        assert saved.path is not None
        assert hashlib.sha256(saved.path.read_bytes()).hexdigest() == item.media.sha256
        thumbnail = io.BytesIO()
        client.download(user_id, item.item_id, thumbnail, thumbnail=True)
        assert max(Image.open(thumbnail).size) <= max(item.media.width, item.media.height)
    # Reads of what was just done, with nothing said about positions.
    assert client.get_account(user_id).balance == 90
    assert [item.item_id for item in client.list_items(user_id)] == [item.item_id for item in generation.items[::-1]]


def test_an_avatar_of_an_uploaded_photo(client: sdk.Triptych) -> None:
    user_id = user_with(client, 100)
    reference = client.upload_reference(user_id, photo())
    generation = client.generate(
        user_id, "avatar", "as an astronaut", reference_media_id=reference.media_id
    ).require_success()
    assert generation.reference_media_id == reference.media_id
    stream = client.open_media(user_id, reference_media_id=reference.media_id)
    assert b"".join(stream) == photo()


def test_what_was_not_delivered_comes_back(client: sdk.Triptych) -> None:
    user_id = user_with(client, 100)
    part = client.generate(user_id, "imagen4", "a fox [sandbox:two-of-four]", output_count=4)
    failed = client.generate(user_id, "imagen4", "a forbidden fox")
    assert (part.delivered_count, part.credits_charged) == (2, 10)
    assert failed.failure is not None
    assert failed.failure.reason is sdk.FailureReason.CONTENT_POLICY
    assert failed.credits_charged == 0
    with pytest.raises(sdk.NotDelivered):
        failed.require_success()
    entries = client.list_ledger_entries(user_id)
    assert [(entry.kind, entry.amount, entry.balance_after) for entry in entries] == [
        ("refund", 5, 90),
        ("debit", -5, 85),
        ("refund", 10, 90),
        ("debit", -20, 80),
        ("grant", 100, 100),
    ]


def test_refusals(client: sdk.Triptych) -> None:
    user_id = user_with(client, 7)
    with pytest.raises(sdk.InsufficientCredits) as poor:
        client.request_generation(user_id, "imagen4", "a fox", output_count=2)
    assert (poor.value.balance, poor.value.price) == (7, 10)
    with pytest.raises(sdk.InvalidArgument) as wrong:
        client.request_generation(user_id, "imagen4", "")
    assert [violation.field for violation in wrong.value.violations] == ["prompt"]
    generation = client.generate(user_id, "imagen4", "a fox", request_id="order-1")
    with pytest.raises(sdk.AlreadyExists) as reused:
        client.request_generation(user_id, "imagen4", "a cat", request_id="order-1")
    assert reused.value.differing == ("prompt",)
    again = client.request_generation(user_id, "imagen4", "a fox", request_id="order-1")
    assert (again.created, again.generation.generation_id) == (False, generation.generation_id)
    with pytest.raises(sdk.NotCancellable):
        client.cancel_generation(generation.generation_id)
    with pytest.raises(sdk.NotFound):
        client.get_item("somebody-else", generation.items[0].item_id)


def test_a_refund_by_hand_is_made_once(client: sdk.Triptych) -> None:
    user_id = user_with(client, 10)
    generation = client.generate(user_id, "imagen4", "a fox").require_success()
    refunded = client.refund_generation(generation.generation_id, "six fingers", actor="olga")
    assert (refunded.credits_refunded, refunded.account.balance) == (5, 10)
    with pytest.raises(sdk.AlreadyRefunded) as again:
        client.refund_generation(generation.generation_id, "once more", actor="ivan")
    assert (again.value.actor, again.value.note) == ("olga", "six fingers")
    assert again.value.refund_time is not None


def test_the_gallery_is_curated(client: sdk.Triptych) -> None:
    user_id = user_with(client, 100)
    generation = client.generate(user_id, "imagen4", "a fox", output_count=3).require_success()
    first, second, third = (item.item_id for item in generation.items)
    assert client.favorite_item(user_id, first).favorite
    assert client.trash_item(user_id, second).trashed
    assert [item.item_id for item in client.iter_items(user_id, page_size=1)] == [third, first]
    assert [item.item_id for item in client.iter_items(user_id, favorite_only=True)] == [first]
    assert [item.item_id for item in client.iter_items(user_id, trashed=True)] == [second]
    assert [item.item_id for page in client.stream_items(user_id, words="fox") for item in page] == [third, first]
    assert not client.restore_item(user_id, second).trashed
    assert not client.unfavorite_item(user_id, first).favorite
    counts = {each.type: each for each in client.count_items(user_id)}
    assert (counts["imagen4"].count, counts["imagen4"].favorite_count, counts["imagen4"].trashed_count) == (3, 0, 0)
    with closing(client.watch_items(user_id)) as changes:
        assert {item.item_id for item in next(changes).items} == {first, second, third}


async def test_the_asynchronous_client_does_the_same(system: RunningSystem, tmp_path: Path) -> None:
    async with sdk.AsyncTriptych(system.address, timeout_seconds=BOUND_SECONDS) as client, asyncio.timeout(120):
        user_id = new_user()
        await client.grant_credits(user_id, 50)
        made = await asyncio.gather(
            *(client.generate(user_id, "imagen4", f"fox {number}", output_count=1) for number in range(5))
        )
        assert all(generation.require_success() for generation in made)
        assert (await client.get_account(user_id)).balance == 25
        found = [item.item_id async for item in client.iter_items(user_id, page_size=2)]
        assert len(set(found)) == 5
        saved = await client.download(user_id, found[0], tmp_path / "fox.png")
        media = await client.open_media(user_id, found[0])
        content = b"".join([chunk async for chunk in media])
        assert saved.path is not None
        assert saved.path.read_bytes() == content


async def test_watches_survive_a_server_that_goes_away(system: RunningSystem) -> None:
    """Behind a balancer that cuts its connections, a watch goes on and every event comes once."""
    resume = sdk.RetryPolicy(max_attempts=1000, initial_backoff_seconds=0.05, max_backoff_seconds=0.2)
    user_id = new_user()
    async with Relay() as relay, asyncio.timeout(120), sdk.AsyncTriptych(system.address) as direct:
        relay.target = system.address
        async with sdk.AsyncTriptych(relay.address, resume=resume, retry=resume) as client:
            start = await direct.get_head()
            events = client.replay_events(start, follow=True, user_id=user_id)
            seen: list[str] = []
            async with aclosing(events):
                for number in range(3):
                    await direct.grant_credits(user_id, 1, grant_id=f"grant-{number}")
                    seen.append((await anext(events)).payload["grant_id"])
                    await relay.cut()
    assert seen == ["grant-0", "grant-1", "grant-2"]
