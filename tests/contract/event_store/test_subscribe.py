"""Subscribing: catching up, live, filters, checkpoints; and many writers at once with a live reader."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from uuid import UUID

import pytest

from service.ports.event_store import EventStore, RecordedEvent, StreamWrite, VersionConflict
from tests.contract.event_store.conftest import OpenStore
from tests.support.log import (
    PATIENCE_SECONDS,
    favorited,
    follow_to,
    following,
    granted,
    ids,
    positions,
    read_all,
    write,
)

_END = "end"


async def test_it_catches_up_and_then_goes_on_live(store: EventStore) -> None:
    head = await store.append([write("a-1", 0, *(favorited() for _ in range(5)))])
    subscription = store.subscribe(batch_size=2)

    old = await follow_to(subscription, head)
    assert [len(each.events) for each in old] == [2, 2, 1]

    for version in range(5, 8):
        waiting = asyncio.create_task(following(subscription))
        position = await store.append([write("a-1", version)])
        batch = await waiting
        assert batch.position == position
        assert [each.version for each in batch.events] == [version + 1]


async def test_it_resumes_after_a_position(store: EventStore) -> None:
    head = await store.append([write("a-1", 0, favorited(), favorited(), favorited())])
    first = positions(await read_all(store))[0]
    batches = await follow_to(store.subscribe(after=first), head)
    assert [each.version for batch in batches for each in batch.events] == [2, 3]


async def test_the_checkpoint_moves_past_other_types(store: EventStore) -> None:
    await store.append([write("a-1", 0, granted(), favorited(), favorited())])
    subscription = store.subscribe(types=["CreditsGranted"])
    head = await store.head()
    batches = await follow_to(subscription, head)
    assert [each.type for batch in batches for each in batch.events] == ["CreditsGranted"]

    waiting = asyncio.create_task(following(subscription))
    position = await store.append([write("a-1", 3, favorited())])
    batch = await waiting
    assert (batch.events, batch.position) == ((), position)


async def test_subscribers_do_not_hold_each_other_up(store: EventStore) -> None:
    slow, quick = store.subscribe(), store.subscribe()
    await store.append([write("a-1", 0)])
    await following(slow)
    for version in range(1, 10):
        position = await store.append([write("a-1", version)])
    assert (await follow_to(quick, position))[-1].position == position
    assert (await follow_to(slow, position))[-1].position == position


async def test_a_cancelled_subscription_leaves_the_store_usable(store: EventStore) -> None:
    waiting = asyncio.create_task(following(store.subscribe()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    position = await store.append([write("a-1", 0)])
    assert (await following(store.subscribe())).position == position


async def test_another_process_is_woken(open_store: OpenStore) -> None:
    here, there = await open_store(), await open_store()
    subscription = there.subscribe()
    for version in range(5):
        position = await here.append([write("a-1", version)])
        assert (await following(subscription)).position == position


@pytest.fixture
def appends_per_writer(request: pytest.FixtureRequest) -> int:
    """Where each of the many conflicts is a call to a server, fewer of them take as long."""
    return 12 if "kurrentdb" in request.node.name else 40


async def test_what_16_writers_write_is_what_a_live_reader_gets(
    open_store: OpenStore, appends_per_writer: int
) -> None:
    """Once each and in order, though the writers conflict, write to several streams, and use four stores."""
    stores = [await open_store() for _ in range(4)]
    # One reads in small batches and lags; one reads all that is there, and so stands at the head most of the time:
    # it is the one that would step over a position that becomes visible late.
    readers = [asyncio.create_task(_collect(stores[0], batch_size)) for batch_size in (7, 1000)]
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        written = await asyncio.gather(*(_write_much(stores[n % 4], n, appends_per_writer) for n in range(16)))
        await stores[1].append([write(_END, 0)])
        delivered, also_delivered = await asyncio.gather(*readers)

    acknowledged = [event_id for each in written for event_id in each]
    assert len(acknowledged) == len(set(acknowledged))
    assert {each.event_id for each in delivered} == set(acknowledged)
    assert len(delivered) == len(acknowledged)
    assert positions(delivered) == sorted(positions(delivered))
    assert delivered == also_delivered == (await read_all(stores[1]))[:-1]
    versions: dict[str, list[int]] = defaultdict(list)
    for each in delivered:
        versions[each.stream].append(each.version)
    assert all(each == list(range(1, len(each) + 1)) for each in versions.values())


async def _write_much(store: EventStore, number: int, appends: int) -> list[UUID]:
    """So many appends, each to one to three of six streams, which every second writer shares with the others; the ids
    of what was acknowledged."""
    source = random.Random(number)
    owner = "shared" if number % 2 else f"own-{number}"
    acknowledged: list[UUID] = []
    known: dict[str, int] = defaultdict(int)
    for _ in range(appends):
        streams = source.sample([f"{owner}-{n}" for n in range(6)], source.randint(1, 3))
        events = {stream: tuple(favorited() for _ in range(source.randint(1, 3))) for stream in streams}
        while True:
            writes = [StreamWrite(stream, known[stream], events[stream]) for stream in streams]
            try:
                await store.append(writes)
            except VersionConflict as conflict:
                known[conflict.stream] = conflict.actual_version or len(await store.read_stream(conflict.stream))
                continue
            break
        for stream in streams:
            known[stream] += len(events[stream])
        acknowledged += ids(writes)
    return acknowledged


async def _collect(store: EventStore, batch_size: int) -> list[RecordedEvent]:
    """Everything before the event that ends the test."""
    events: list[RecordedEvent] = []
    async for batch in store.subscribe(batch_size=batch_size):
        events += batch.events
        if events and events[-1].stream == _END:
            break
    return events[:-1]
