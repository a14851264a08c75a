"""The stores that the contract is held against.

KurrentDB's adapter runs on the server of its protocol in tests/support (``kurrentdb``), and where there is one on a
real server too (``kurrentdb-real``), whose log is longer than a test: there a test gets a part that begins now.
``test_real_kurrentdb`` says if there is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack

import pytest

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb import KurrentEventStore
from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.eventstore.postgres import PostgresEventStore
from service.ports.event_store import EventStore
from tests.support.kurrentdb import KurrentDBServer
from tests.support.log_part import LogPart
from tests.support.real_kurrentdb import ImageMissing, alone_on, described, real_server, why_there_is_none

OpenStore = Callable[..., Awaitable[EventStore]]


@pytest.fixture(scope="session")
def real_kurrentdb() -> Iterator[str]:
    """The connection string of a real KurrentDB."""
    if why_there_is_none():
        pytest.skip(f"KurrentDB: {described()}")
    with ExitStack() as stack:
        try:
            uri = stack.enter_context(real_server())
        except ImageMissing as missing:
            pytest.skip(str(missing))
        yield uri


@pytest.fixture(params=["memory", "postgres", "kurrentdb", *([] if why_there_is_none() else ["kurrentdb-real"])])
async def open_store(request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    """``await open_store(codec=...)``: a store; each further one is on the same log, as another process's would be
    (in memory there is only one)."""
    async with AsyncExitStack() as stack:
        yield STORES[request.param](request, stack)


def in_memory(_: pytest.FixtureRequest, stack: AsyncExitStack) -> OpenStore:
    opened: list[MemoryEventStore] = []

    async def open_store(codec: EventCodec | None = None) -> EventStore:
        if not opened:
            opened.append(MemoryEventStore(codec=codec))
            stack.push_async_callback(opened[0].close)
        return opened[0]

    return open_store


def on_postgres(request: pytest.FixtureRequest, stack: AsyncExitStack) -> OpenStore:
    conninfo: str = request.getfixturevalue("database")

    async def open_store(codec: EventCodec | None = None) -> EventStore:
        return await stack.enter_async_context(PostgresEventStore.open(conninfo, codec=codec))

    return open_store


def on_kurrentdb(_: pytest.FixtureRequest, stack: AsyncExitStack) -> OpenStore:
    started: list[KurrentDBServer] = []

    async def open_store(codec: EventCodec | None = None) -> EventStore:
        if not started:
            started.append(await stack.enter_async_context(KurrentDBServer()))
        return await stack.enter_async_context(KurrentEventStore.open(started[0].connection_string, codec=codec))

    return open_store


def on_real_kurrentdb(request: pytest.FixtureRequest, stack: AsyncExitStack) -> OpenStore:
    uri: str = request.getfixturevalue("real_kurrentdb")
    parts: list[LogPart] = []
    counts = "counted" in request.node.name

    async def open_store(codec: EventCodec | None = None) -> EventStore:
        store = await stack.enter_async_context(KurrentEventStore.open(uri, codec=codec))
        if parts:
            return parts[0].through(store)
        await stack.enter_async_context(alone_on(uri))
        counting = await stack.enter_async_context(KurrentEventStore.open(uri)) if counts else None
        parts.append(await LogPart.begin(store, counting=counting))
        return parts[0]

    return open_store


STORES = {
    "memory": in_memory,
    "postgres": on_postgres,
    "kurrentdb": on_kurrentdb,
    "kurrentdb-real": on_real_kurrentdb,
}


@pytest.fixture
async def store(open_store: OpenStore) -> EventStore:
    return await open_store()
