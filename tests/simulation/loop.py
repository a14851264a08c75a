"""An event loop on virtual time, with the order of what is ready drawn from a seed.

Nothing ever waits: when no task is ready, the clock jumps to the next timer. There is no input and no output, so all
that happens is a function of the seed. A loop on which nothing is ready and no timer runs would wait for ever; that
is a ``Deadlock``.

Trio shuffles its run queue for the same reason: code that depends on the scheduler's order is wrong, and a seed that
shows it is worth keeping.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
JITTER_SECONDS = 0.001
"""Timers are late by up to this much, so that those set for one moment come in any order."""
MAX_ROUNDS = 100_000
"""How often the ready tasks may run, one after the other, before some time has to pass."""


class Deadlock(BaseException):
    """Every task waits for another one, or they go in circles while no time passes."""


class _NoInput(selectors.BaseSelector):
    """Has no input, ever. Waiting for some moves the loop's clock instead."""

    def __init__(self, wait: Callable[[float | None], None]) -> None:
        self._wait = wait
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._wait(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, source: random.Random) -> None:
        self._virtual_seconds = 0.0
        self._rounds_without_time = 0
        self._source = source
        super().__init__(_NoInput(self._wait))

    def time(self) -> float:
        return self._virtual_seconds

    def now(self) -> datetime:
        """The loop's time as a moment, UTC."""
        return EPOCH + timedelta(seconds=self._virtual_seconds)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        late = self._source.random() * JITTER_SECONDS
        return super().call_at(when + late, callback, *args, context=context)

    def _wait(self, timeout_seconds: float | None) -> None:
        if timeout_seconds is None:
            raise Deadlock(f"nothing is ready and no timer runs at {self.time():.3f} s")
        self._rounds_without_time += 1
        if timeout_seconds > 0:
            self._virtual_seconds += timeout_seconds
            self._rounds_without_time = 0
        elif self._rounds_without_time > MAX_ROUNDS:
            raise Deadlock(f"tasks go in circles at {self.time():.3f} s: {self._ready}")  # type: ignore[attr-defined]
        # asyncio has no public way to choose the order; this name has been the same since 3.4.
        ready = self._ready  # type: ignore[attr-defined]
        if len(ready) > 1:
            order = list(ready)
            self._source.shuffle(order)
            ready.clear()
            ready.extend(order)


class LoopClock:
    """The port's clock on a virtual loop. ``skew_seconds`` is how wrong this process's clock is."""

    def __init__(self, loop: VirtualLoop, *, skew_seconds: float = 0.0) -> None:
        self._loop = loop
        self._skew = timedelta(seconds=skew_seconds)

    def now(self) -> datetime:
        return self._loop.now() + self._skew


def run_virtually(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]], *, seed: str) -> T:
    """Runs ``main`` to its end on a loop of its own."""
    loop = VirtualLoop(random.Random(f"{seed}/order"))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop))
