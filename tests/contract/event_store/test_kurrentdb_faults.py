"""What a server and the way to it can do to us: answers lost, leaders changed, restarts, kills, subscribers left
behind. On the protocol server, which can be told to do all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import trustme

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb import KurrentEventStore
from service.adapters.eventstore.kurrentdb_connection import ServerTooOld, connected
from service.adapters.eventstore.kurrentdb_streams import StreamReader
from service.adapters.eventstore.kurrentdb_writer import KurrentWriter
from service.ports.event_store import EventStore, EventStoreUnavailable, StreamWrite, VersionConflict
from tests.support.kurrentdb import Faults, KurrentDBServer
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.kurrentdb.server import MAX_CALLS_PER_CONNECTION
from tests.support.log import PATIENCE_SECONDS, favorited, follow_to, following, granted, read_all, write
from tests.support.log_load import Load, assert_nothing_lost

TWO_STREAMS = [write("a-1", 0, favorited(), favorited()), write("b-1", 0)]
Strike = Callable[[], Awaitable[object]]


@pytest.fixture
async def server() -> AsyncIterator[KurrentDBServer]:
    async with KurrentDBServer() as server:
        yield server


@pytest.fixture
async def store(server: KurrentDBServer) -> AsyncIterator[KurrentEventStore]:
    async with KurrentEventStore.open(server.connection_string) as store:
        yield store


@asynccontextmanager
async def loaded(store: EventStore) -> AsyncIterator[Load]:
    """Writers and a live reader while the block runs; afterwards nothing is lost, nothing there twice."""
    load = Load(store)
    async with asyncio.timeout(110):
        writers = asyncio.create_task(load.run())
        subscription = store.subscribe()
        try:
            yield load
            await load.reach(50)
            load.stop()
            await writers
        finally:
            writers.cancel()
            await asyncio.wait([writers])
        delivered: list[UUID] = []
        for batch in await follow_to(subscription, await store.head()):
            delivered += [each.event_id for each in batch.events]
        await assert_nothing_lost(store, load, delivered)


async def _strike(load: Load, strike: Strike, times: int) -> None:
    for _ in range(times):
        await load.reach(50)
        await strike()


@pytest.mark.parametrize("lost", [1, 2, 5])
async def test_an_append_whose_answers_are_lost_is_written_once(
    server: KurrentDBServer, store: KurrentEventStore, lost: int
) -> None:
    server.faults.lost_answers = lost
    position = await _surely(store.append, TWO_STREAMS)
    events = await read_all(store)
    assert (len(events), events[-1].position) == (3, position)


@pytest.mark.parametrize("lost", [1, 3])
async def test_an_append_is_written_once_by_a_server_that_goes_silent(
    server: KurrentDBServer, store: KurrentEventStore, lost: int
) -> None:
    server.faults.lost_answers, server.faults.lost_how = lost, "silence"
    async with connected(server.connection_string) as client:
        writer = KurrentWriter(client, StreamReader(client), EventCodec(), timeout_seconds=0.5)
        position = await _surely(writer.append, TWO_STREAMS)
        await writer.close()
    events = await read_all(store)
    assert (len(events), events[-1].position) == (3, position)


async def _surely(append: Callable[[Sequence[StreamWrite]], Awaitable[int]], writes: Sequence[StreamWrite]) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(EventStoreUnavailable):
                return await append(writes)


async def test_lost_answers_under_load(server: KurrentDBServer, store: KurrentEventStore) -> None:
    async def lose() -> None:
        server.faults.lost_answers += 10

    async with loaded(store) as load:
        await _strike(load, lose, 4)
    assert server.faults.lost_answers == 0


async def test_a_node_that_does_not_lead_for_a_while(server: KurrentDBServer, store: KurrentEventStore) -> None:
    async def follow() -> None:
        server.faults.follower_calls += 10

    async with loaded(store) as load:
        await _strike(load, follow, 4)
    assert load.failures > 0


async def test_leaders_that_change_places(server: KurrentDBServer) -> None:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(KurrentDBServer(log=server.log))
        nodes = [server, other]
        other.follow(server)
        uri = f"kurrentdb://{server.address},{other.address}?tls=false"
        store = await stack.enter_async_context(KurrentEventStore.open(uri))

        async def change() -> None:
            nodes.reverse()
            nodes[0].faults.follows = None
            nodes[1].follow(nodes[0])

        async with loaded(store) as load:
            await _strike(load, change, 4)


async def test_connections_that_break(server: KurrentDBServer, store: KurrentEventStore) -> None:
    async with loaded(store) as load:
        await _strike(load, server.drop_connections, 4)


async def test_a_server_that_restarts(server: KurrentDBServer, store: KurrentEventStore) -> None:
    """Its memory of recent events is empty then."""
    async with loaded(store) as load:
        await _strike(load, server.restart, 3)


async def test_a_server_that_is_killed(tmp_path: Path) -> None:
    with KurrentDBProcess(tmp_path) as process:
        async with KurrentEventStore.open(process.connection_string) as store:

            async def kill() -> None:
                await asyncio.to_thread(process.kill)
                await asyncio.to_thread(process.start)

            async with loaded(store) as load:
                await _strike(load, kill, 2)


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("live_buffer", [1, 3])
async def test_a_reader_that_falls_behind_all_the_time(live_buffer: int, tells: bool) -> None:
    async with (
        KurrentDBServer(faults=Faults(live_buffer=live_buffer, tells_fell_behind=tells)) as server,
        KurrentEventStore.open(server.connection_string) as store,
        loaded(store) as load,
    ):
        await load.reach(300)


async def test_a_reader_of_one_type_that_falls_behind(server: KurrentDBServer) -> None:
    server.faults.live_buffer = 1
    async with KurrentEventStore.open(server.connection_string) as store:
        subscription = store.subscribe(types=["CreditsGranted"])
        for number in range(20):
            filling = [favorited() for _ in range(15)]
            head = await store.append([write(f"a-{number}", 0, *filling, granted(), favorited())])
        found = [each for batch in await follow_to(subscription, head) for each in batch.events]
        assert [each.stream for each in found] == [f"a-{number}" for number in range(20)]


async def test_more_subscribers_than_a_connection_carries_leave_room_for_the_others(store: KurrentEventStore) -> None:
    await store.append([write("a-1", 0)])
    subscriptions = [store.subscribe() for _ in range(MAX_CALLS_PER_CONNECTION + 20)]
    for each in subscriptions:
        assert len((await following(each)).events) == 1
    position = await store.append([write("a-1", 1)])
    assert await store.head() == position
    for each in subscriptions:
        assert (await following(each)).position == position


@pytest.mark.parametrize("version", ["25.1.0", "26.0.3"])
async def test_a_part_of_a_repeat_is_a_conflict_whatever_the_server_calls_it(version: str) -> None:
    async with KurrentDBServer(faults=Faults(version=version)) as server:
        known = write("a-1", 0, favorited(), favorited())
        async with KurrentEventStore.open(server.connection_string) as store:
            await store.append([known])
        # Another process, which does not remember what was written.
        async with KurrentEventStore.open(server.connection_string) as store:
            for writes in (
                [known, write("b-1", 0)],
                [write("b-1", 0), known],
                [write("a-1", 0, known.events[0], favorited()), write("b-1", 0)],
                [write("a-1", 0, *known.events, favorited())],
            ):
                with pytest.raises(VersionConflict) as conflict:
                    await store.append(writes)
                assert conflict.value.stream == "a-1"
            assert len(await read_all(store)) == 2
            assert await store.append([known]) == await store.head()


async def test_a_clock_that_is_set_back_changes_no_order(server: KurrentDBServer, store: KurrentEventStore) -> None:
    """Times are the leader's: another leader's clock may be behind."""
    await store.append([write("a-1", 0)])
    server.faults.clock_offset_seconds = -3600
    last = await store.append([write("a-1", 1), write("b-1", 0)])
    first, second, third = await read_all(store)
    assert first.position < second.position < third.position == last
    assert second.recorded_at <= third.recorded_at < first.recorded_at
    assert await store.position_at(first.recorded_at) == await store.position_at(third.recorded_at) == last
    assert await store.position_at(second.recorded_at - timedelta(hours=1)) == 0


async def test_a_server_that_is_too_old_is_refused_in_words() -> None:
    async with KurrentDBServer(faults=Faults(version="24.10.5")) as server:
        with pytest.raises(ServerTooOld, match=r"24\.10\.5.*25\.1 or newer"):
            async with KurrentEventStore.open(server.connection_string):
                pass


async def test_tls_and_a_password_are_in_the_connection_string(tmp_path: Path) -> None:
    authority, certificate_file = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(certificate_file))
    async with KurrentDBServer(users={"admin": "changeit"}, authority=authority) as server:
        uri = server.secure_connection_string(certificate_file, "admin")
        async with KurrentEventStore.open(uri) as store:
            position = await store.append([write("a-1", 0)])
            assert (await following(store.subscribe())).position == position
        async with KurrentEventStore.open(uri.replace("changeit", "guess")) as store:
            with pytest.raises(EventStoreUnavailable, match="Unauthenticated"):
                await store.head()


async def test_a_server_that_is_not_there_is_said() -> None:
    async with KurrentDBServer() as server:
        uri = server.connection_string
    with pytest.raises(EventStoreUnavailable):
        async with KurrentEventStore.open(uri):
            pass


async def test_a_closed_store_refuses_and_ends_its_subscriptions(server: KurrentDBServer) -> None:
    async with KurrentEventStore.open(server.connection_string) as store:
        subscription = store.subscribe()
        await store.append([write("a-1", 0)])
        await following(subscription)
        waiting = asyncio.create_task(following(subscription))
    with pytest.raises((StopAsyncIteration, RuntimeError)):
        await waiting
    with pytest.raises(EventStoreUnavailable, match="closed"):
        await store.append([write("a-1", 1)])
