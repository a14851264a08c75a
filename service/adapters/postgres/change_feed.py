"""Wake-ups for watchers, and waiting for a position: one listening connection a process, fanned out in memory.

``run`` listens on ``triptych_read`` and looks at ``read.projections`` every second besides, so that a lost message
costs latency and nothing else. After every (re)connect all watchers are woken and the positions are taken as the
database has them, also where they went back: after a crash PostgreSQL may have lost the last commits of projections,
which are then made again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import msgspec
import psycopg
import structlog

from service.adapters.postgres.pool import Connection, connect, describe
from service.adapters.postgres.read_notifier import CHANNEL, Notice, decode
from service.ports.projections import ProjectionBehind, ProjectionName

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
QUIET_SECONDS = 30.0
"""A watcher is woken this often even when nothing is heard. Each of thousands then reads, so it is not often; a lost
message is noticed by the poll."""
MAX_BACKOFF_SECONDS = 5.0


class PostgresChangeFeed:
    """ChangeFeed and PositionWaiter. Works while ``run`` runs; without it, watchers wake twice a minute."""

    def __init__(self, conninfo: str, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._conninfo = conninfo
        self._poll_seconds = poll_seconds
        self._positions: dict[str, int] = {}
        self._heard: dict[str, int] = {}
        self._polled: dict[str, int] = {}
        self._notices: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._watchers: dict[str, dict[str, set[asyncio.Event]]] = defaultdict(lambda: defaultdict(set))

    async def run(self) -> None:
        """Listens until it is cancelled."""
        failures = 0
        while True:
            try:
                async with await connect(self._conninfo, application_name="triptych change feed") as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    await self._poll(connection, fresh=True)
                    failures = 0
                    await self._listen(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                log.warning("change_feed_interrupted", error=describe(error))
            await asyncio.sleep(min(0.1 * 2**failures, MAX_BACKOFF_SECONDS))
            failures = min(failures + 1, 10)

    async def _listen(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + self._poll_seconds
        while True:
            async for message in connection.notifies(timeout=max(poll_at - loop.time(), 0.0)):
                self._hear(message.payload)
            await self._poll(connection, fresh=False)
            poll_at = loop.time() + self._poll_seconds

    def _hear(self, payload: str) -> None:
        try:
            notice = decode(payload)
        except msgspec.DecodeError as error:
            log.warning("change_feed_foreign_message", error=str(error), payload=payload[:200])
            return
        name = notice.projection
        self._heard[name] = max(self._heard.get(name, 0), notice.position)
        self._positions[name] = max(self._positions.get(name, 0), notice.position)
        self._wake(notice)

    async def _poll(self, connection: Connection, *, fresh: bool) -> None:
        cursor = await connection.execute("SELECT name, position FROM read.projections WHERE live")
        for name, position in await cursor.fetchall():
            # What the look before had seen and no message has told since: that message was lost.
            lost = self._heard.get(name, 0) < self._polled.get(name, 0)
            moved = position > self._positions.get(name, 0)
            self._positions[name] = position if fresh else max(self._positions.get(name, 0), position)
            self._heard[name] = position if fresh else max(self._heard.get(name, 0), self._polled.get(name, 0))
            self._polled[name] = position
            if fresh or lost:
                self._wake(Notice(name, position))
            elif moved:
                self._wake(Notice(name, position, []))

    def _wake(self, notice: Notice) -> None:
        # Whoever waits holds the old event; whoever comes later looks at the position before it waits.
        self._notices.pop(notice.projection, asyncio.Event()).set()
        watchers = self._watchers.get(notice.projection)
        if watchers is None:
            return
        for key in list(watchers) if notice.keys is None else notice.keys:
            for event in watchers.get(key, ()):
                event.set()

    @property
    def watcher_count(self) -> int:
        """How many watch now."""
        return sum(len(events) for keys in self._watchers.values() for events in keys.values())

    async def watch(self, projection: ProjectionName, key: str) -> AsyncIterator[None]:
        event = asyncio.Event()
        watchers = self._watchers[projection]
        watchers[key].add(event)
        try:
            while True:
                # Cleared before the yield: what happens while the watcher reads wakes it again.
                event.clear()
                yield
                await wait_briefly(event, QUIET_SECONDS)
        finally:
            watchers[key].discard(event)
            if not watchers[key]:
                del watchers[key]

    async def wait(self, projection: ProjectionName, position: int, *, timeout_seconds: float) -> int:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + timeout_seconds
        while (reached := self._positions.get(projection, 0)) < position:
            if loop.time() >= give_up_at:
                raise ProjectionBehind(projection, position, reached)
            await wait_briefly(self.next_notice(projection), give_up_at - loop.time())
        return reached

    def next_notice(self, projection: ProjectionName) -> asyncio.Event:
        """Is set when something is next heard of the projection."""
        return self._notices[projection]


async def wait_briefly(event: asyncio.Event, timeout_seconds: float) -> None:
    """Until the event or the timeout, whichever comes first; the caller looks which it was."""
    try:
        async with asyncio.timeout(max(timeout_seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return
