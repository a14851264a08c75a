"""Keeps one build of a projection up with the log.

- One runner is active per build across all processes: it holds a session advisory lock on the very connection it
  writes with, so that whoever has lost the lock cannot write. The others are hot spares and try again every second.
  The lock goes with the session: at once when the process ends, within 20 s when its machine does (keepalives), and
  within 10 s when it stands still, because the server ends a session that it hears nothing from.
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

import structlog

from service.ports.event_store import EventStore
from service.projections import builds
from service.projections.builds import Build
from service.projections.following import TRANSIENT, Following, PoisonEvent, RunnerOptions
from service.projections.projection import Announcer, BuildGone, Connect, Connection, Projection

__all__ = ["BuildRunner", "RunnerOptions"]

log = structlog.get_logger(__name__)


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
        # The server is to notice soon when we are gone or stand still: as long as it believes in our session, our
        # lock keeps the spares out. The network's own checks (TCP only; ignored on UNIX sockets) find a machine that
        # is gone, the limit on idle sessions also a process that is frozen.
        await connection.execute(
            "SELECT set_config('search_path', %s, false), set_config('synchronous_commit', 'off', false),"
            " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),"
            " set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20s', false),"
            " set_config('idle_session_timeout', %s, false)",
            (build.schema_name, f"{self._options.lock_idle_seconds * 1000:.0f}ms"),
        )

    async def _work(self, connection: Connection) -> None:
        """Follows the log; when it stops at a poison event, waits there until an operator skips it."""
        while True:
            build = await builds.load_build(connection, self._projection.name, self._number)
            following = Following(
                self._projection,
                build,
                skipped=await builds.skipped_positions(connection, build),
                store=self._store,
                connection=connection,
                announcer=self._announcer,
                options=self._options,
            )
            try:
                await following.run()
            except PoisonEvent as poison:
                await builds.mark_stopped(
                    connection,
                    following.build,
                    error_position=poison.position,
                    event_type=poison.event_type,
                    error=str(poison),
                )
                self._log.error("projection_stopped", position=poison.position, error=str(poison))
                await self._wait_for_skip(connection, following.build)

    async def _wait_for_skip(self, connection: Connection, stopped: Build) -> None:
        while True:
            await asyncio.sleep(self._options.retry_seconds)
            build = await builds.load_build(connection, stopped.name, stopped.build)
            if build.position != stopped.position:
                return
