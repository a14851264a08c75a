"""The stores that the contract is held against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.eventstore.postgres import PostgresEventStore
from service.ports.event_store import EventStore

OpenStore = Callable[..., Awaitable[EventStore]]


@pytest.fixture(params=["memory", "postgres"])
async def open_store(request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
    """``await open_store(codec=...)``: a store; each further one is on the same log, as another process's would be
    (in memory there is only one)."""
    memory: list[MemoryEventStore] = []
    async with AsyncExitStack() as stack:

        async def open_memory(codec: EventCodec | None = None) -> EventStore:
            if not memory:
                memory.append(MemoryEventStore(codec=codec))
                stack.push_async_callback(memory[0].close)
            return memory[0]

        async def open_postgres(codec: EventCodec | None = None) -> EventStore:
            return await stack.enter_async_context(PostgresEventStore.open(conninfo, codec=codec))

        if request.param == "memory":
            yield open_memory
        else:
            conninfo: Any = request.getfixturevalue("database")
            yield open_postgres


@pytest.fixture
async def store(open_store: OpenStore) -> EventStore:
    return await open_store()
