"""Read models and the log that they were built from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.postgres.log_anchor import OtherLog, check_anchor, keep_anchor, keep_first_anchor
from service.adapters.postgres.migrations import migrate
from service.adapters.postgres.pool import Connection, connect, make_pool
from service.adapters.postgres.reset import InUse, drop_read_models
from service.ports.event_store import StreamWrite
from service.projections.host import prepare
from tests.support.log import favorited, write


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    async with await connect(database, application_name="test") as connection:
        yield connection


async def anchored(connection: Connection, store: MemoryEventStore) -> None:
    last = await check_anchor(connection, store)
    assert last is not None
    await keep_anchor(connection, last)


async def log_of(*writes: StreamWrite) -> MemoryEventStore:
    store = MemoryEventStore()
    for each in writes:
        await store.append([each])
    return store


async def test_the_same_log_is_known_again_also_when_it_has_grown(connection: Connection) -> None:
    store = await log_of(write("a-1", 0))
    await anchored(connection, store)
    await store.append([write("a-1", 1)])
    await anchored(connection, store)


async def test_another_log_is_refused(connection: Connection) -> None:
    await anchored(connection, await log_of(write("a-1", 0)))
    with pytest.raises(OtherLog, match=r"does not have the event .* \(a-1, version 1\).*projections reset"):
        await check_anchor(connection, await log_of(write("a-1", 0)))
    with pytest.raises(OtherLog, match="does not have the event"):
        await check_anchor(connection, await log_of())


async def test_a_copy_whose_positions_differ_is_refused(connection: Connection) -> None:
    event = favorited()
    await anchored(connection, await log_of(write("a-1", 0, event)))
    with pytest.raises(OtherLog, match="stands at position 2 in it, not at 1"):
        await check_anchor(connection, await log_of(write("b-1", 0), write("a-1", 0, event)))


async def test_an_older_backup_is_refused(connection: Connection) -> None:
    first = write("a-1", 0)
    await anchored(connection, await log_of(first))
    await prepare(connection)
    await connection.execute("UPDATE read.projections SET position = 2")
    with pytest.raises(OtherLog, match="have seen position 2, and it ends at 1"):
        await check_anchor(connection, await log_of(first))


async def test_read_models_older_than_this_check_are_taken_if_they_can_be_right(connection: Connection) -> None:
    await prepare(connection)
    await connection.execute("UPDATE read.projections SET position = 1")
    await anchored(connection, await log_of(write("a-1", 0)))


async def test_the_first_event_of_an_empty_log_is_waited_for(connection: Connection, database: str) -> None:
    store = MemoryEventStore()
    assert await check_anchor(connection, store) is None
    await store.append([write("a-1", 0)])
    async with make_pool(database, application_name="test", max_size=1) as pool:
        await keep_first_anchor(pool, store)
    with pytest.raises(OtherLog):
        await check_anchor(connection, MemoryEventStore())


async def test_read_models_are_dropped_and_made_anew(connection: Connection, database: str) -> None:
    await anchored(connection, await log_of(write("a-1", 0)))
    await prepare(connection)
    await drop_read_models(connection)
    await migrate(database, "read_models")
    await prepare(connection)
    await anchored(connection, await log_of(write("a-1", 0)))


async def test_read_models_in_use_are_not_dropped(connection: Connection, database: str) -> None:
    async with await connect(database, application_name="triptych projections"):
        with pytest.raises(InUse, match="stop every process"):
            await drop_read_models(connection)
    assert await check_anchor(connection, MemoryEventStore()) is None
