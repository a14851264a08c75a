"""Keeps one build of a projection up with the log.

- One runner is active per build across all processes: it holds a session advisory lock on the very connection it
  writes with, so that whoever has lost the lock cannot write. The others are hot spares and try again every second.
- Rows and checkpoint move in one transaction, a batch at a time. The checkpoint is compared before it is set: a
  runner that is not where it thinks rolls back. So each event counts exactly once, whatever is killed.
- Commits do not wait for the disk (``synchronous_commit = off``). A crash of PostgreSQL may take the last ones back,
  rows and checkpoint together, and they are made again from the log.
- A batch that fails for a reason of its own is tried again event by event, which keeps the good ones and finds the
  one that cannot be applied. There the projection stops: visible in ``read.projections``, logged, retried by the
  next program start, passed over only by an operator's ``skip``.
- A lost database is no reason to stop: it is tried again with bounded backoff, for ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import psycopg
import structlog

from service.ports.event_store import EventStore, EventStoreUnavailable, RecordedEvent, UnreadableEvent
from service.projections import builds
from service.projections.builds import Build
from service.projections.projection import Announcer, BuildGone, Connect, Connection, LostPlace, Projection

log = structlog.get_logger(__name__)

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, EventStoreUnavailable, OSError, LostPlace)
"""What passes by itself: the database or the store away, locks and deadlocks, another runner's turn."""


@dataclass(frozen=True, kw_only=True)
class RunnerOptions:
    batch_size: int = 2000
    """Events a transaction at most."""
    retry_seconds: float = 1.0
    """How often spares try to take over, and a stopped build looks whether it was told to go on."""
    most_backoff_seconds: float = 10.0
    switch_attempts: int = 20
    """Each waits for readers as long as ``builds.SWITCH_LOCK_TIMEOUT``; then the next batch tries again."""


class _Poison(Exception):
    def __init__(self, position: int, event_type: str, why: str) -> None:
        super().__init__(f"{event_type} at position {position} cannot be applied: {why}")
        self.position = position
        self.event_type = event_type


class BuildRunner:
    def __init__(
        self,
        projection: Projection,
        build: int,
        *,
        store: EventStore,
        connect: Connect,
        announcer: Announcer,
        options: RunnerOptions | None = None,
    ) -> None:
        self._projection = projection
        self._number = build
        self._store = store
        self._connect = connect
        self._announcer = announcer
        self._options = options or RunnerOptions()
        self._log = log.bind(projection=projection.name, build=build, version=projection.version)

    async def run(self) -> None:
        """Until the build is retired, or for ever."""
        failures = 0
        while True:
            try:
                async with await self._connect(f"triptych projection {self._projection.name}") as connection:
                    await self._take_lock(connection)
                    failures = 0
                    self._log.info("projection_runner_active")
                    await self._work(connection)
            except BuildGone:
                self._log.info("projection_build_retired")
                return
            except TRANSIENT as error:
                self._log.warning("projection_interrupted", error=str(error), error_type=type(error).__name__)
            # The first try comes soon: a restarted server should cost no more than its own restart.
            await asyncio.sleep(min(0.1 * 2**failures, self._options.most_backoff_seconds) * random.uniform(0.5, 1))  # noqa: S311
            failures = min(failures + 1, 10)

    async def _take_lock(self, connection: Connection) -> None:
        build = await builds.load_build(connection, self._projection.name, self._number)
        while True:
            cursor = await connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended('triptych ' || %s, 0))", (build.schema_name,)
            )
            if (await cursor.fetchone()) == (True,):
                break
            await asyncio.sleep(self._options.retry_seconds)
            await builds.load_build(connection, self._projection.name, self._number)
        # The server is to notice soon when we are gone: as long as it believes in our session, our lock keeps the
        # spares out (TCP only; ignored on UNIX sockets).
        await connection.execute(
            "SELECT set_config('search_path', %s, false), set_config('synchronous_commit', 'off', false),"
            " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),"
            " set_config('tcp_keepalives_count', '3', false)",
            (build.schema_name,),
        )

    async def _work(self, connection: Connection) -> None:
        """Follows the log; when it stops at a poison event, waits there until an operator skips it."""
        while True:
            build = await builds.load_build(connection, self._projection.name, self._number)
            following = _Following(self, connection, build, await builds.skipped_positions(connection, build))
            try:
                await following.run()
            except _Poison as poison:
                build = following.build
                await builds.mark_stopped(
                    connection,
                    build,
                    error_position=poison.position,
                    event_type=poison.event_type,
                    error=str(poison),
                )
                self._log.error("projection_stopped", position=poison.position, error=str(poison))
                await self._wait_for_skip(connection, build)

    async def _wait_for_skip(self, connection: Connection, stopped: Build) -> None:
        while True:
            await asyncio.sleep(self._options.retry_seconds)
            build = await builds.load_build(connection, stopped.name, stopped.build)
            if build.position != stopped.position:
                return


class _Following:
    """One stretch of following the log on one connection."""

    def __init__(self, runner: BuildRunner, connection: Connection, build: Build, skipped: frozenset[int]) -> None:
        self.build = build
        self._projection = runner._projection
        self._store = runner._store
        self._announcer = runner._announcer
        self._options = runner._options
        self._log = runner._log
        self._connection = connection
        self._skipped = skipped

    async def run(self) -> None:
        """For ever; ends by raising _Poison, BuildGone or something of TRANSIENT."""
        await self._switch_if_caught_up()
        while True:
            try:
                await self._subscribe()
            except UnreadableEvent as error:
                await self._reach(error)
                if error.position not in self._skipped:
                    raise _Poison(error.position, "An event", str(error)) from error
                await self._advance([], error.position)
            else:
                raise EventStoreUnavailable("the event store has closed the subscription")

    async def _subscribe(self) -> None:
        subscription = self._store.subscribe(
            after=self.build.position, types=self._projection.event_types, batch_size=self._options.batch_size
        )
        async with aclosing(subscription) as batches:  # type: ignore[type-var]
            async for batch in batches:
                await self._advance(batch.events, batch.position)
                await self._switch_if_caught_up()

    async def _reach(self, error: UnreadableEvent) -> None:
        """Applies what stands before an unreadable event and was not delivered."""
        batches = self._store.read_all(
            after=self.build.position,
            until=error.position - 1,
            types=self._projection.event_types,
            batch_size=self._options.batch_size,
        )
        async for batch in batches:
            await self._advance(batch, batch[-1].position)

    async def _advance(self, delivered: Sequence[RecordedEvent], position: int) -> None:
        events = [each for each in delivered if each.position not in self._skipped]
        try:
            await self._write(events, position)
        except (*TRANSIENT, BuildGone):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: found, told and raised one by one below
            self._log.warning("projection_batch_failed", events=len(events), error=repr(error))
            await self._advance_one_by_one(events, position)

    async def _advance_one_by_one(self, events: Sequence[RecordedEvent], position: int) -> None:
        for event in events:
            try:
                await self._write([event], event.position)
            except (*TRANSIENT, BuildGone):
                raise
            except Exception as error:
                raise _Poison(event.position, event.type, f"{type(error).__name__}: {error}") from error
        if position > self.build.position:
            await self._write([], position)

    async def _write(self, events: Sequence[RecordedEvent], position: int) -> None:
        keys: set[str] = set()
        async with self._connection.transaction():
            # First, so that a runner which has lost its place does no work in vain.
            await builds.move_checkpoint(self._connection, self.build, position)
            if events:
                keys = await self._projection.apply(events, self._connection)
        self.build = self.build._replace(position=position)
        if self.build.live:
            self._announcer.announce(self.build.name, position, keys)

    async def _switch_if_caught_up(self) -> None:
        """Lets readers read this build, as soon as it has seen all that the one they read has."""
        if self.build.live:
            return
        live = next((each for each in await builds.list_builds(self._connection, self.build.name) if each.live), None)
        if live is not None and self.build.position < live.position:
            return
        for _ in range(self._options.switch_attempts):
            if await builds.switch(self._connection, self._projection, self.build.build):
                self.build = self.build._replace(live=True)
                self._log.info("projection_switched", position=self.build.position)
                self._announcer.announce(self.build.name, self.build.position, None)
                await builds.drop_retired(self._connection, self.build.name)
                return
            await asyncio.sleep(0.1)
        self._log.warning("projection_switch_blocked", position=self.build.position)
