"""The API's history on a log in memory, in a thread: for clients that block, and logs that take weeks.

The server, its interceptors and its services are the real ones; only what ``HistoryService`` does not need is left
out. The store is the one that passes the event stores' contract suite; its clock is wound up here, because a log
whose events are days apart cannot be waited for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from service.adapters.clock import SystemClock
from service.adapters.eventstore.memory import MemoryEventStore
from service.api.dependencies import Core
from service.api.server import ApiServer, ServerOptions, build_server
from service.application.history import History
from service.application.what_if import WhatIf
from tests.support.history import History as RandomHistory
from tests.support.samples import CATALOG

T = TypeVar("T")

BOUND_SECONDS = 60.0
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""A Monday."""


class LogServer:
    """Made by ``serving_log``. The log has ``appends`` commands' events, ``minutes_apart``, from START on."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, seed: int, minutes_apart: float) -> None:
        self._loop = loop
        self._time = START
        self._step = timedelta(minutes=minutes_apart)
        self._random = RandomHistory(seed)
        self._server: ApiServer | None = None
        self.store = MemoryEventStore(now=self._tick)

    @property
    def address(self) -> str:
        assert self._server is not None
        return self._server.address

    def append(self, appends: int) -> int:
        """That many more commands; the position of the last event."""
        return self.run(lambda: self._random.append_to(self.store, appends=appends))

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(BOUND_SECONDS)

    async def start(self) -> None:
        history = History(self.store, SystemClock())
        have: dict[str, Any] = dict.fromkeys(Core.__dataclass_fields__)
        have |= {
            "history": history,
            "catalog": CATALOG,
            "what_if": WhatIf(history, self.store, CATALOG),
            "stopping": asyncio.Event(),
        }
        self._server = build_server(Core(**have), ServerOptions(port=0))
        await self._server.start()

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.stop(grace_seconds=0.0)

    def _tick(self) -> datetime:
        self._time += self._step
        return self._time


@contextmanager
def serving_log(*, seed: int = 5, appends: int = 0, minutes_apart: float = 9.0) -> Iterator[LogServer]:
    """A server whose log has that history."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="log-server", daemon=True)
    thread.start()
    server = LogServer(loop, seed=seed, minutes_apart=minutes_apart)
    try:
        server.run(server.start)
        if appends:
            server.append(appends)
        yield server
        server.run(server.stop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(BOUND_SECONDS)
        loop.close()
