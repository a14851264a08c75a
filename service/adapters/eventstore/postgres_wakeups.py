"""Wake-ups: who waits for new events is told soon, by a path that no append waits for.

After a commit the writer rings the local bell, which wakes this process's subscribers, and marks the notifier,
which sends one NOTIFY for all commits since its last one, on a connection of its own. (A NOTIFY inside the
appending transaction takes a lock that serialises the commits of the whole server.) One listening connection
rings the bell for what other processes write.

Nothing depends on a wake-up: subscribers also look slowly by themselves, so a lost one costs latency only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg
import structlog

from service.adapters.postgres.pool import connect, describe

_log = structlog.get_logger(__name__)

CHANNEL = "triptych_events"
_NOTIFY_INTERVAL_SECONDS = 0.005
_FIRST_BACKOFF_SECONDS = 0.1
_MAX_BACKOFF_SECONDS = 2.0


class Bell:
    """Wakes all who wait. Take ``next_ring`` before looking, and wait for it after having found nothing."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    @property
    def next_ring(self) -> asyncio.Event:
        return self._next

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


async def wait_for_ring(ring: asyncio.Event, *, timeout_seconds: float) -> None:
    """Returns at the ring or after the timeout, whichever is first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            await ring.wait()


class Wakeups:
    """The two connections and their tasks; they reconnect by themselves for ever, with bounded backoff."""

    def __init__(self, conninfo: str, bell: Bell) -> None:
        self._conninfo = conninfo
        self._bell = bell
        self._unsent = asyncio.Event()
        self._tasks = [
            asyncio.create_task(self._keep(self._notify), name="event-store-notifier"),
            asyncio.create_task(self._keep(self._listen), name="event-store-listener"),
        ]

    def committed(self) -> None:
        """New events are visible."""
        self._bell.ring()
        self._unsent.set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _keep(self, serve: Callable[[], Awaitable[None]]) -> None:
        backoff_seconds = _FIRST_BACKOFF_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await serve()
            except (psycopg.Error, OSError) as error:
                if loop.time() - started > 2 * _MAX_BACKOFF_SECONDS:  # it had worked
                    backoff_seconds = _FIRST_BACKOFF_SECONDS
                _log.warning("event_wakeups_interrupted", why=describe(error), retry_in_seconds=backoff_seconds)
            await asyncio.sleep(backoff_seconds)
            backoff_seconds = min(2 * backoff_seconds, _MAX_BACKOFF_SECONDS)

    async def _notify(self) -> None:
        async with await connect(self._conninfo, application_name="triptych-notifier") as connection:
            # A notification is worth no disk flush.
            await connection.execute("SET synchronous_commit = off")
            while True:
                await self._unsent.wait()
                self._unsent.clear()
                await connection.execute(f"NOTIFY {CHANNEL}")
                await asyncio.sleep(_NOTIFY_INTERVAL_SECONDS)

    async def _listen(self) -> None:
        async with await connect(self._conninfo, application_name="triptych-listener") as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._bell.ring()  # for what was missed while not listening
            async for _ in connection.notifies():
                self._bell.ring()
            raise psycopg.OperationalError("the listening connection has ended")
