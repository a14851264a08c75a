"""The API's history on a log in memory, in a thread: for clients that block, and for logs that took weeks.

The server, its interceptors and its services are the real ones; only what ``HistoryService`` does not need is left
out. The store is the one that passes the event stores' contract suite; its clock is wound up here, because a log
whose events are days apart cannot be waited for.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from service.adapters.clock import SystemClock
from service.adapters.eventstore.memory import MemoryEventStore
from service.api.dependencies import Core
from service.api.server import ApiServer, ServerOptions, build_server
from service.application.history import History
from service.application.seeding import seeded_history
from service.application.what_if import WhatIf
from service.ports.event_store import StreamWrite
from tests.support.samples import CATALOG

T = TypeVar("T")

BOUND_SECONDS = 60.0
END = datetime(2026, 11, 25, tzinfo=UTC)
PLANNED_EVENTS = 3000
"""The story is made for so many, over weeks; a log may have fewer of them."""


class LogServer:
    """Made by ``serving_log``: a server of the beginning of a believable history, the same for the same seed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._loop = loop
        self._now = END
        self._story = itertools.chain.from_iterable(
            seeded_history(CATALOG, seed=seed, events=PLANNED_EVENTS, end=END)
        )
        self._server: ApiServer | None = None
        self.store = MemoryEventStore(now=lambda: self._now)

    @property
    def address(self) -> str:
        assert self._server is not None
        return self._server.address

    def append(self, events: int) -> int:
        """Goes on with the story; the position of the last event."""
        return self.run(lambda: self._append(events))

    async def _append(self, events: int) -> int:
        position = 0
        for each in itertools.islice(self._story, events):
            self._now = each.recorded_at
            position = await self.store.append([StreamWrite(each.stream, each.version - 1, (each.new,))])
        return position

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


@contextmanager
def serving_log(*, seed: int = 1, events: int = 0) -> Iterator[LogServer]:
    """A server whose log has the first ``events`` of that history."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="log-server", daemon=True)
    thread.start()
    server = LogServer(loop, seed)
    try:
        server.run(server.start)
        if events:
            server.append(events)
        yield server
        server.run(server.stop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(BOUND_SECONDS)
        loop.close()
