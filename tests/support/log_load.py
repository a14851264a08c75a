"""Writers that do not give up, and whether all of what they wrote is in the log and was delivered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

from service.ports.event_store import EventStore, EventStoreUnavailable, StreamWrite
from tests.support.log import ids, read_all, until, write


class Load:
    """Writers that repeat an append, with the same ids, until it is acknowledged."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._stopping = False
        self.acknowledged: list[UUID] = []
        self.failures = 0

    async def run(self) -> None:
        await asyncio.gather(*(self._write(n) for n in range(8)))

    def stop(self) -> None:
        self._stopping = True

    async def _write(self, number: int) -> None:
        version = 0
        while not self._stopping:
            writes = [write(f"a-{number}", version), write(f"b-{number}", version)]
            await self._surely(writes)
            self.acknowledged += ids(writes)
            version += 1

    async def _surely(self, writes: list[StreamWrite]) -> None:
        while True:
            with suppress(EventStoreUnavailable):
                await self._store.append(writes)
                return
            self.failures += 1
            await asyncio.sleep(0.01)

    async def reach(self, count: int) -> None:
        """Until so many more were acknowledged."""
        goal = len(self.acknowledged) + count
        await until(lambda: len(self.acknowledged) >= goal)


async def assert_nothing_lost(store: EventStore, load: Load, delivered: list[UUID]) -> None:
    """Stored once each, all that was acknowledged and nothing else, and delivered in the order of the log."""
    stored = [each.event_id for each in await read_all(store)]
    assert len(stored) == len(set(stored))
    assert set(stored) == set(load.acknowledged)
    assert delivered == stored
