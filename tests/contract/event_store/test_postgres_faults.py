"""What only a real database can do to us: connections killed, the server killed, batches with one bad event."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from functools import partial

import psycopg
import pytest

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.eventstore.codec import EncodedEvent, EventCodec
from service.adapters.eventstore.postgres import EventLogMissing, PostgresEventStore
from service.adapters.postgres.migrations import migrate
from service.domain.account import CreditsGranted
from service.ports.event_store import EventStoreUnavailable, NewEvent, VersionConflict
from tests.support.log import (
    PATIENCE_SECONDS,
    favorited,
    follow_to,
    following,
    granted,
    ids,
    read_all,
    until,
    write,
)
from tests.support.log_load import Load, assert_nothing_lost
from tests.support.postgres import PostgresServer, short_folder

POISON = "poison"


class PoisonableCodec(EventCodec):
    """Writes what PostgreSQL refuses for one note. The real codec leaves no such thing."""

    def encode(self, new: NewEvent) -> EncodedEvent:
        encoded = super().encode(new)
        if isinstance(new.event, CreditsGranted) and new.event.note == POISON:
            return encoded._replace(data=rb'{"type": "CreditsGranted", "note": "\u0000"}')
        return encoded


@pytest.fixture
async def store(database: str) -> AsyncIterator[PostgresEventStore]:
    async with PostgresEventStore.open(database) as store:
        yield store


async def _query(conninfo: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=30) as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_appends_that_wait_together_are_committed_together(store: PostgresEventStore, database: str) -> None:
    await asyncio.gather(*(store.append([write(f"a-{n}", 0)]) for n in range(300)))
    [[transactions, events]] = await _query(
        database, "SELECT count(DISTINCT xmin::text), count(*) FROM triptych.events"
    )
    assert events == 300
    assert isinstance(transactions, int)
    assert transactions < 30


async def test_a_full_queue_makes_callers_wait_and_loses_none(database: str) -> None:
    async with PostgresEventStore.open(database, max_waiting=3, max_batch_events=2) as store:
        await asyncio.gather(*(store.append([write(f"a-{n}", 0)]) for n in range(50)))
        assert await store.head() == 50


async def test_one_bad_event_in_a_batch_fails_only_its_own_append(database: str) -> None:
    async with PostgresEventStore.open(database, codec=PoisonableCodec()) as store:
        taken = write("taken", 0)
        await store.append([taken])
        outcomes = await asyncio.gather(
            *(store.append([write(f"a-{n}", 0)]) for n in range(20)),
            store.append([write("b-1", 0, granted(POISON)), write("c-1", 0)]),
            store.append([write("taken", 0)]),
            store.append([taken]),
            *(store.append([write(f"d-{n}", 0)]) for n in range(20)),
            return_exceptions=True,
        )
        assert isinstance(outcomes[20], ValueError)
        assert "b-1" in str(outcomes[20])
        assert isinstance(outcomes[21], VersionConflict)
        assert outcomes[22] == 1
        assert all(isinstance(each, int) for each in [*outcomes[:20], *outcomes[22:]])
        assert len({*outcomes[:20], *outcomes[23:]}) == 40
        assert {each.stream for each in await read_all(store)}.isdisjoint({"b-1", "c-1"})


_APPEND_ONE = """
SELECT * FROM triptych.append_events('{x-1}', '{0}', '{x-1}', '{1}', ARRAY[gen_random_uuid()], '{ItemFavorited}',
    ARRAY['{"type": "ItemFavorited", "generation_id": "g", "item_id": "i"}'], ARRAY['{}'])
"""
_WAITS_FOR_THE_LOCK = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""


async def test_no_position_is_visible_before_a_lower_one(store: PostgresEventStore, database: str) -> None:
    """An append that is written and not yet committed makes the next one wait, instead of being overtaken."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with await psycopg.AsyncConnection.connect(database, connect_timeout=30) as slow:
            await slow.execute(_APPEND_ONE.encode())
            overtaking = asyncio.create_task(store.append([write("y-1", 0)]))
            while (await _query(database, _WAITS_FOR_THE_LOCK)) != [(1,)]:
                assert not overtaking.done()
            assert await store.head() == 0
            await slow.commit()
        assert await overtaking == 2
    assert [each.stream for each in await read_all(store)] == ["x-1", "y-1"]


async def test_positions_that_are_answered_are_those_of_the_log(store: PostgresEventStore) -> None:
    writes = [[write(f"a-{n}", 0, *(favorited() for _ in range(1 + n % 3)))] for n in range(40)]
    answers = await asyncio.gather(*(store.append(each) for each in writes))
    log = {each.event_id: each.position for each in await read_all(store)}
    assert answers == [log[ids(each)[-1]] for each in writes]
    assert sorted(log.values()) == list(range(1, len(log) + 1))


async def test_callers_that_give_up_do_not_hold_up_the_others(store: PostgresEventStore) -> None:
    for _ in range(10):
        leaving = [asyncio.create_task(store.append([write(f"a-{uuid.uuid4()}", 0)])) for _ in range(20)]
        await asyncio.sleep(0)
        for task in leaving[::2]:
            task.cancel()
        await asyncio.wait(leaving)
        assert all(task.exception() is None for task in leaving[1::2])


async def test_a_reader_between_batches_holds_nothing(store: PostgresEventStore, database: str) -> None:
    await store.append([write("a-1", 0, favorited(), favorited())])
    batches, subscription = store.read_all(batch_size=1), store.subscribe(batch_size=1)
    await anext(batches)
    await anext(subscription)
    held = await _query(
        database,
        "SELECT application_name, state FROM pg_stat_activity WHERE application_name LIKE 'triptych-%' "
        "AND datname = current_database() AND (backend_xmin IS NOT NULL OR state <> 'idle')",
    )
    assert held == []


async def test_wake_ups_cross_processes_without_polling(store: PostgresEventStore, database: str) -> None:
    async with PostgresEventStore.open(database, poll_seconds=10 * PATIENCE_SECONDS) as other:
        subscription = other.subscribe()
        for version in range(5):
            position = await store.append([write("a-1", version)])
            assert (await following(subscription)).position == position


async def test_a_database_without_the_log_is_refused_in_words(postgres_server: PostgresServer) -> None:
    name = postgres_server.create_database()
    with pytest.raises(EventLogMissing, match="triptychd migrate"):
        async with PostgresEventStore.open(postgres_server.conninfo_for(name)):
            pass
    postgres_server.drop_database(name)


async def test_a_database_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(EventStoreUnavailable, match="no-such-folder"):
        async with PostgresEventStore.open("host=/no-such-folder dbname=x"):
            pass


async def test_a_closed_store_refuses_and_ends_its_subscriptions(database: str) -> None:
    async with PostgresEventStore.open(database) as store:
        subscription = store.subscribe()
        waiting = asyncio.create_task(following(subscription))
        last = asyncio.create_task(store.append([write("a-1", 0)]))
        await last
        await waiting
        waiting = asyncio.create_task(following(subscription))
    with pytest.raises((StopAsyncIteration, RuntimeError)):
        await waiting
    with pytest.raises(EventStoreUnavailable, match="closed"):
        await store.append([write("a-1", 1)])


def _has_another_pid(server: EmbeddedPostgres, pid: int) -> bool:
    return server.pid != pid


async def test_killed_connections_lose_and_repeat_nothing(database: str) -> None:
    async with asyncio.timeout(100), PostgresEventStore.open(database) as store:
        load = Load(store)
        writers = asyncio.create_task(load.run())
        subscription = store.subscribe()
        for _ in range(5):
            await load.reach(200)
            await _query(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'triptych-%' AND datname = current_database()",
            )
        await load.reach(200)
        load.stop()
        await writers
        batches = await follow_to(subscription, await store.head())
        await assert_nothing_lost(store, load, [e.event_id for batch in batches for e in batch.events])


async def test_a_killed_server_loses_and_repeats_nothing() -> None:
    """kill -9 of PostgreSQL, with fsync on, under load; it is started again by its keeper."""
    with short_folder() as folder:
        async with asyncio.timeout(110), EmbeddedPostgres(folder) as server:
            await migrate(server.conninfo, "events")
            async with PostgresEventStore.open(server.conninfo) as store:
                load = Load(store)
                writers = asyncio.create_task(load.run())
                subscription = store.subscribe()
                for _ in range(2):
                    await load.reach(100)
                    killed = server.pid
                    os.kill(killed, signal.SIGKILL)
                    await until(partial(_has_another_pid, server, killed))
                await load.reach(100)
                load.stop()
                await writers
                batches = await follow_to(subscription, await store.head())
                await assert_nothing_lost(store, load, [e.event_id for batch in batches for e in batch.events])
                assert load.failures > 0


async def test_times_never_go_back_with_the_servers_clock(store: PostgresEventStore, database: str) -> None:
    await store.append([write("a-1", 0)])
    await _query(database, "UPDATE triptych.events SET recorded_at = now() + interval '1 day' RETURNING position")
    await store.append([write("a-2", 0)])
    first, second = await read_all(store)
    assert first.recorded_at == second.recorded_at
