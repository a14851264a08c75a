"""Moments, many streams at once, and totals: what time travel and analysts ask of a store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.memory import MemoryEventStore
from service.ports.event_store import EventStore
from tests.contract.event_store.conftest import OpenStore
from tests.support.log import favorited, granted, positions, read_all, write


async def test_every_time_is_a_place_in_the_log(store: EventStore) -> None:
    for number in range(9):
        await store.append([write(f"a-{number}", 0, favorited(), favorited())])
    events = await read_all(store)
    for event in events:
        last_by_then = max(each.position for each in events if each.recorded_at <= event.recorded_at)
        assert await store.position_at(event.recorded_at) == last_by_then
        before = [each.position for each in events if each.recorded_at < event.recorded_at]
        assert await store.position_at(event.recorded_at - timedelta(microseconds=1)) == max(before, default=0)


async def test_before_the_first_event_there_is_nothing_and_later_than_the_last_all(store: EventStore) -> None:
    assert await store.position_at(datetime(2200, 1, 1, tzinfo=UTC)) == 0
    await store.append([write("a-1", 0)])
    assert await store.position_at(datetime(2000, 1, 1, tzinfo=UTC)) == 0
    assert await store.position_at(datetime(2200, 1, 1, tzinfo=UTC)) == await store.head()


async def test_times_never_go_back_with_the_clock() -> None:
    times = [datetime(2026, 1, 1, 12, minute, tzinfo=UTC) for minute in (5, 3, 7)]
    clock = iter(times)
    store = MemoryEventStore(now=lambda: next(clock))
    for number in range(3):
        await store.append([write(f"a-{number}", 0)])
    assert [each.recorded_at for each in await read_all(store)] == [times[0], times[0], times[2]]


async def test_many_streams_are_read_at_once_in_the_order_of_the_log(store: EventStore) -> None:
    for number in range(4):
        await store.append([write(f"a-{number}", 0, favorited(), favorited())])
    for number in reversed(range(4)):
        await store.append([write(f"a-{number}", 2)])
    everything = await read_all(store)

    wanted = ["a-3", "a-1", "a-1", "nobody"]
    found = await store.read_streams(wanted)
    assert found == [each for each in everything if each.stream in wanted]
    assert [(each.stream, each.version) for each in await store.read_streams(wanted, limit=1)] == [
        ("a-1", 1),
        ("a-3", 1),
    ]
    assert positions(await store.read_streams(wanted, until=found[3].position)) == positions(found[:4])
    assert positions(await store.read_streams(wanted, until=found[2].position)) == positions(found[:3])
    assert list(await store.read_streams(wanted, until=0)) == []
    assert list(await store.read_streams([])) == []


async def test_streams_are_read_up_to_a_limit_each(store: EventStore) -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        await store.read_streams(["a-1"], limit=0)


async def test_types_are_counted_with_their_first_and_last_time(store: EventStore) -> None:
    assert list(await store.count_by_type()) == []
    await store.append([write("a-1", 0, granted(), favorited(), granted())])
    await store.append([write("a-2", 0, favorited()), write("a-3", 0, favorited())])
    events = await read_all(store)
    totals = {each.type: each for each in await store.count_by_type()}
    assert list(totals) == ["CreditsGranted", "ItemFavorited"]
    for name, total in totals.items():
        times = [each.recorded_at for each in events if each.type == name]
        assert (total.count, total.first_at, total.last_at) == (len(times), times[0], times[-1])


async def test_types_that_cannot_be_read_are_counted(open_store: OpenStore) -> None:
    store = await open_store(codec=EventCodec({}))
    await store.append([write("a-1", 0, granted())])
    assert [each.type for each in await store.count_by_type()] == ["CreditsGranted"]
