"""Reading: paging, filters, bounds, and events that cannot be read."""

from __future__ import annotations

import pytest

from service.adapters.eventstore.codec import EventCodec
from service.domain.events import EVENT_TYPES
from service.ports.event_store import EventStore, UnreadableEvent
from tests.contract.event_store.conftest import OpenStore
from tests.support.log import favorited, granted, positions, read_all, write


async def test_an_empty_log(store: EventStore) -> None:
    assert await store.head() == 0
    assert await read_all(store) == []
    assert await store.read_stream("a-1") == []


async def test_a_stream_is_read_in_pages(store: EventStore) -> None:
    await store.append([write("a-1", 0, *(favorited(str(n)) for n in range(25)))])
    await store.append([write("b-1", 0)])

    seen: list[int] = []
    while page := await store.read_stream("a-1", after_version=seen[-1] if seen else 0, limit=10):
        assert len(page) <= 10
        seen += [each.version for each in page]
    assert seen == list(range(1, 26))


async def test_the_log_is_read_in_batches_in_order(store: EventStore) -> None:
    for n in range(7):
        await store.append([write(f"a-{n}", 0, favorited(), favorited())])

    batches = [batch async for batch in store.read_all(batch_size=4)]
    assert [len(each) for each in batches] == [4, 4, 4, 2]
    events = [event for batch in batches for event in batch]
    assert positions(events) == sorted(positions(events))
    assert [each.stream for each in events] == [f"a-{n}" for n in range(7) for _ in range(2)]


async def test_after_is_exclusive_and_until_inclusive(store: EventStore) -> None:
    await store.append([write("a-1", 0, *(favorited() for _ in range(6)))])
    everything = positions(await read_all(store))

    assert positions(await read_all(store, after=everything[1])) == everything[2:]
    assert positions(await read_all(store, until=everything[3])) == everything[:4]
    assert positions(await read_all(store, after=everything[1], until=everything[3])) == everything[2:4]
    assert await read_all(store, after=everything[-1]) == []
    assert await read_all(store, after=everything[3], until=everything[1]) == []
    assert await read_all(store, until=0) == []
    assert positions(await read_all(store, until=everything[-1] + 1000)) == everything


async def test_reading_may_begin_at_a_position_that_no_event_has(store: EventStore) -> None:
    """Callers may name any: positions have gaps in some stores, and nobody sees which."""
    await store.append([write("a-1", 0, *(favorited() for _ in range(4)))])
    everything = await read_all(store)
    for number, event in enumerate(everything):
        assert await read_all(store, after=event.position - 1) == everything[number:]
        assert (await anext(store.subscribe(after=event.position - 1))).events == tuple(everything[number:])
    assert await read_all(store, after=everything[-1].position + 1) == []


async def test_types_are_filtered(store: EventStore) -> None:
    await store.append([write("a-1", 0, favorited(), granted(), favorited(), granted(), granted())])

    found = await read_all(store, types=["CreditsGranted"], batch_size=2)
    assert [each.version for each in found] == [2, 4, 5]
    assert len(await read_all(store, types=["CreditsGranted", "ItemFavorited"])) == 5
    assert len(await read_all(store, types={"ItemFavorited"}, until=found[0].position)) == 1
    assert await read_all(store, types=["ItemTrashed"]) == []
    assert await read_all(store, types=[]) == []


async def test_reading_to_the_present_end_does_not_chase_what_comes_later(store: EventStore) -> None:
    await store.append([write("a-1", 0, favorited(), favorited(), favorited())])
    version, seen = 3, 0
    async for batch in store.read_all(batch_size=1):
        seen += len(batch)
        await store.append([write("a-1", version)])
        version += 1
    assert seen == 3


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_batch_of_nothing_is_refused(store: EventStore, limit: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1, not {limit}"):
        await store.read_stream("a-1", limit=limit)
    with pytest.raises(ValueError, match=f"at least 1, not {limit}"):
        await read_all(store, batch_size=limit)


@pytest.fixture
async def forgetful_store(open_store: OpenStore) -> EventStore:
    """A store whose program no longer knows CreditsGranted; the log holds one between others."""
    types = {name: cls for name, cls in EVENT_TYPES.items() if name != "CreditsGranted"}
    store = await open_store(codec=EventCodec(types))
    await store.append([write("a-1", 0, favorited(), favorited(), granted(), favorited())])
    return store


async def test_an_unknown_type_is_an_unreadable_event_and_says_where(forgetful_store: EventStore) -> None:
    with pytest.raises(UnreadableEvent, match="CreditsGranted") as unreadable:
        await forgetful_store.read_stream("a-1")
    assert (unreadable.value.stream, unreadable.value.version) == ("a-1", 3)
    assert len(await forgetful_store.read_stream("a-1", limit=2)) == 2
    assert len(await forgetful_store.read_stream("a-1", after_version=3)) == 1


async def test_what_stands_before_an_unreadable_event_is_delivered(forgetful_store: EventStore) -> None:
    batches = forgetful_store.read_all()
    assert [each.version for each in await anext(batches)] == [1, 2]
    with pytest.raises(UnreadableEvent) as unreadable:
        await anext(batches)
    rest = await read_all(forgetful_store, after=unreadable.value.position)
    assert [each.version for each in rest] == [4]
    assert len(await read_all(forgetful_store, types=["ItemFavorited"])) == 3


async def test_a_subscription_delivers_up_to_an_unreadable_event_and_then_raises(forgetful_store: EventStore) -> None:
    subscription = forgetful_store.subscribe()
    batch = await anext(subscription)
    assert [each.version for each in batch.events] == [1, 2]
    with pytest.raises(UnreadableEvent) as unreadable:
        await anext(subscription)
    assert batch.events[-1].position <= batch.position < unreadable.value.position
    with pytest.raises(UnreadableEvent):  # also for one that comes back to where it was
        await anext(forgetful_store.subscribe(after=batch.position))
