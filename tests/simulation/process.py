"""A simulated operating system process: what runs in it dies with it, what it left in the store and in leases stays.

Every call of a port passes a gate on its way out and on its way back. At each gate the process may die (so there is
a crash between any two effects), stand still for longer than its lease, or just be slow.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from tests.simulation.loop import VirtualLoop
from tests.simulation.trace import Trace
from tests.simulation.weather import CHAOS_SECONDS, Weather

T = TypeVar("T")
P = TypeVar("P")

LEASE_SECONDS = 8.0


class ConnectionLost(Exception):
    """What a caller from outside sees of a process that died, or is not there."""


class Process:
    def __init__(
        self,
        name: str,
        *,
        loop: VirtualLoop,
        weather: Weather,
        source: random.Random,
        trace: Trace,
        on_death: Callable[[Process], None],
        on_defect: Callable[[str], None],
    ) -> None:
        self.name = name
        self.alive = True
        self.loop = loop
        self.source = source
        self._weather = weather
        self._trace = trace
        self._on_death = on_death
        self._on_defect = on_defect
        self._paused_until = 0.0
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def port(self, name: str, target: P) -> P:
        """``target`` as this process reaches it: each of its async methods passes the gates."""
        return cast(P, _Gated(self, name, target))

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Runs something that dies with the process."""
        task = self.loop.create_task(work, name=f"{self.name}: {name}")
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled():
            task.exception()  # the caller may be gone; that is no defect

    def spawn_service(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Runs something that must not end by an exception; should it, that is a defect of the service."""

        async def watched() -> None:
            try:
                await work
            except Exception as error:
                self._on_defect(f"{self.name}: {name} ended by {type(error).__name__}: {error}")
                raise

        self.spawn(watched(), name)

    async def call(self, make: Callable[[], Awaitable[T]]) -> T:
        """A call from outside. Raises ConnectionLost when the process dies first; the caller may go away before."""
        if not self.alive:
            raise ConnectionLost(self.name)

        async def handle() -> T:
            return await make()

        task = self.spawn(handle(), "call")
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
        if task.cancelled():
            raise ConnectionLost(self.name)
        return task.result()

    def kill(self, where: str) -> None:
        """``kill -9``: nothing in it does anything any more."""
        if not self.alive:
            return
        self.alive = False
        self._trace.tell("crash", f"{self.name} dies at {where}")
        self.abandon()
        self._on_death(self)

    def abandon(self) -> None:
        """Stops everything in it without a word."""
        self.alive = False
        for task in list(self._tasks):
            task.cancel()

    async def pass_gate(self, where: str) -> None:
        while True:
            if not self.alive:
                await self.loop.create_future()  # until the cancellation arrives
            if self.loop.time() >= self._paused_until:
                break
            await asyncio.sleep(self._paused_until - self.loop.time())
        if self.loop.time() >= CHAOS_SECONDS:
            return
        roll = self.source.random()
        weather = self._weather
        if roll < weather.crash_rate:
            self.kill(where)
            await self.loop.create_future()
        roll -= weather.crash_rate
        if roll < weather.pause_rate:
            seconds = self.source.uniform(0.5, 3) * LEASE_SECONDS
            self._paused_until = self.loop.time() + seconds
            self._trace.tell("pause", f"{self.name} stands still for {seconds:.1f} s at {where}")
            await self.pass_gate(where)
        elif roll - weather.pause_rate < weather.slow_rate:
            await asyncio.sleep(self.source.expovariate(4.0))
            if not self.alive:
                await self.loop.create_future()


class _Gated:
    def __init__(self, process: Process, name: str, target: object) -> None:
        self._process = process
        self._name = name
        self._target = target

    def __getattr__(self, attribute: str) -> Any:
        member = getattr(self._target, attribute)
        if not inspect.iscoroutinefunction(member):
            return member
        where = f"{self._name}.{attribute}"

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._process.pass_gate(f"{where}, going out")
            try:
                answer = await member(*args, **kwargs)
            except Exception:
                await self._process.pass_gate(f"{where}, failing")
                raise
            await self._process.pass_gate(f"{where}, coming back")
            return answer

        setattr(self, attribute, call)
        return call
