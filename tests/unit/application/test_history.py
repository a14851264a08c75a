"""The log for readers outside: replayed to its end or followed, and wrong questions named."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.history import History
from service.domain.errors import InvalidField
from tests.support.log import PATIENCE_SECONDS, favorited, granted, write


@pytest.fixture
async def store() -> MemoryEventStore:
    store = MemoryEventStore()
    await store.append([write("account-u", 0, granted(), granted())])
    await store.append([write("generation-g", 0, favorited())])
    return store


async def replay(
    store: MemoryEventStore, *, after: int = 0, types: Collection[str] = ()
) -> list[tuple[list[int], int]]:
    batches = History(store).replay(after=after, types=types, follow=False, batch_size=2)
    return [([event.position for event in batch.events], batch.position) async for batch in batches]


async def test_everything_in_batches_and_then_where_the_log_ends(store: MemoryEventStore) -> None:
    assert await replay(store) == [([1, 2], 2), ([3], 3), ([], 3)]


async def test_after_a_position(store: MemoryEventStore) -> None:
    assert await replay(store, after=2) == [([3], 3), ([], 3)]
    assert await replay(store, after=3) == [([], 3)]


async def test_by_type_a_reader_still_learns_how_far_it_has_seen(store: MemoryEventStore) -> None:
    assert await replay(store, types=["CreditsGranted"]) == [([1, 2], 2), ([], 3)]


async def test_followed_it_goes_on_with_what_comes(store: MemoryEventStore) -> None:
    batches = History(store).replay(after=3, types=(), follow=True, batch_size=10)
    waiting = asyncio.ensure_future(anext(batches))
    await store.append([write("account-u", 2, granted())])
    batch = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
    assert [event.position for event in batch.events] == [4]
    await batches.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("after", [-1, 4])
async def test_a_position_that_is_not_in_the_log(store: MemoryEventStore, after: int) -> None:
    with pytest.raises(InvalidField, match="must be 0 to 3, where the log ends now") as caught:
        await replay(store, after=after)
    assert caught.value.field == "after_position"


async def test_a_type_that_does_not_exist(store: MemoryEventStore) -> None:
    with pytest.raises(InvalidField, match=r"'Happened' is not an event type; there are: .*CreditsGranted") as caught:
        await replay(store, types=["CreditsGranted", "Happened"])
    assert caught.value.field == "types"


async def test_the_head(store: MemoryEventStore) -> None:
    assert await History(store).head() == 3
