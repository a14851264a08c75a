"""The lines between a process and what it depends on: they fail before the call, after it, or long after it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol

from service.ports.event_store import Batch, EventStore, EventStoreUnavailable, StreamWrite, VersionConflict
from service.ports.work_list import Claim, WorkList
from tests.simulation.loop import VirtualLoop
from tests.simulation.trace import Trace
from tests.simulation.weather import CHAOS_SECONDS, Weather


class Surroundings(Protocol):
    """What every simulated part needs of the world."""

    loop: VirtualLoop
    weather: Weather
    trace: Trace

    def source(self, name: str) -> random.Random:
        """A random source of its own for each part, so that one part's draws do not shift another's."""
        ...

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something that no process owns: a packet under way, the vendor's own work."""
        ...


class Faults:
    """Draws whether something goes wrong now, for one service on one line."""

    def __init__(self, world: Surroundings, service: str, rate: float, source: random.Random) -> None:
        self._world = world
        self._service = service
        self._rate = rate
        self._source = source

    def out(self) -> bool:
        """The service is away altogether."""
        return self._world.weather.is_out(self._service, self._world.loop.time())

    def strikes(self) -> bool:
        return self._source.random() < self._rate and self._world.loop.time() < CHAOS_SECONDS


class StoreLine:
    """The event store as one process reaches it."""

    def __init__(self, world: Surroundings, store: EventStore, source: random.Random) -> None:
        self._world = world
        self._store = store
        self._source = source
        self._faults = Faults(world, "store", world.weather.store_fault_rate, source)

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        if self._faults.out():
            raise EventStoreUnavailable("the store is away")
        if not self._faults.strikes():
            return await self._passed_on(writes)
        fault = self._source.choice(("not_done", "done", "done_later", "conflict"))
        what = ", ".join(f"{type(new.event).__name__}" for write in writes for new in write.events)
        self._world.trace.tell(f"append_{fault}", what)
        match fault:
            case "done":
                await self._passed_on(writes)
            case "done_later":
                self._world.background(self._append_later(writes))
            case "conflict":
                raise VersionConflict(writes[0].stream, writes[0].expected_version)
        raise EventStoreUnavailable("the connection broke")

    async def _passed_on(self, writes: Sequence[StreamWrite]) -> int:
        try:
            position = await self._store.append(writes)
        except VersionConflict as conflict:
            self._world.trace.tell("conflict", str(conflict))
            raise
        for write in writes:
            for new in write.events:
                self._world.trace.tell("event", f"{write.stream} {type(new.event).__name__}")
        return position

    async def _append_later(self, writes: Sequence[StreamWrite]) -> None:
        await asyncio.sleep(self._source.expovariate(1.0))
        try:
            await self._passed_on(writes)
        except VersionConflict:
            return  # told by _passed_on; nobody waits for this answer

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        if self._faults.out() or (self._faults.strikes() and self._source.random() < 0.3):
            raise EventStoreUnavailable("the store does not answer")
        return await self._store.read_stream(stream, after_version=after_version, limit=limit)


class WorkListDown(Exception):
    """What a database driver raises; the worker knows only that something was raised."""


class WorkListLine:
    """The work list as one process reaches it."""

    def __init__(self, world: Surroundings, work_list: WorkList, source: random.Random) -> None:
        self._work_list = work_list
        self._faults = Faults(world, "work_list", world.weather.work_list_fault_rate, source)

    def _check(self) -> None:
        if self._faults.out() or self._faults.strikes():
            raise WorkListDown("the database is away")

    async def claim(
        self, worker: str, *, limit: int, lease_seconds: float, now: datetime, overdue_only: bool = False
    ) -> Sequence[Claim]:
        self._check()
        return await self._work_list.claim(
            worker, limit=limit, lease_seconds=lease_seconds, now=now, overdue_only=overdue_only
        )

    async def renew(
        self, worker: str, generation_ids: Collection[str], *, lease_seconds: float, now: datetime
    ) -> set[str]:
        self._check()
        return await self._work_list.renew(worker, tuple(generation_ids), lease_seconds=lease_seconds, now=now)

    async def release(self, worker: str, generation_id: str, *, due_at: datetime, seen_position: int = 0) -> None:
        self._check()
        await self._work_list.release(worker, generation_id, due_at=due_at, seen_position=seen_position)

    async def wake(self, generation_id: str, now: datetime) -> None:
        self._check()
        await self._work_list.wake(generation_id, now)

    async def wait_for_work(self, *, timeout_seconds: float) -> None:
        await self._work_list.wait_for_work(timeout_seconds=timeout_seconds)
