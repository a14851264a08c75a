"""Runs all projections of a process: finds builds of this program's versions and keeps a runner on each.

Any number of processes may do this; who is active is settled build by build (``runner.py``). Builds that appear
while it runs, such as an operator's rebuild, are taken up within a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import structlog

from service.ports.event_store import EventStore
from service.projections import builds
from service.projections.projection import Announcer, Connect, Connection, Projection
from service.projections.registry import PROJECTIONS
from service.projections.runner import BuildRunner, RunnerOptions

log = structlog.get_logger(__name__)


class ProjectionHost:
    def __init__(
        self,
        store: EventStore,
        connect: Connect,
        announcer: Announcer,
        *,
        projections: Sequence[Projection] = PROJECTIONS,
        options: RunnerOptions | None = None,
        poll_seconds: float = 1.0,
    ) -> None:
        """``connect`` opens an autocommit connection under the given application name, to the database of the read
        models and not through a pooler that shares sessions."""
        self._store = store
        self._connect = connect
        self._announcer = announcer
        self._projections = projections
        self._options = options or RunnerOptions()
        self._poll_seconds = poll_seconds
        self._runners: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        failures = 0
        try:
            while True:
                try:
                    async with await self._connect("triptych projections") as connection:
                        for projection in self._projections:
                            await builds.ensure_build(connection, projection)
                        while True:
                            failures = 0
                            await self._look_round(connection)
                            await asyncio.sleep(self._poll_seconds)
                except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                    log.warning("projection_host_interrupted", error=str(error))
                failures = min(failures + 1, 10)
                await asyncio.sleep(min(0.1 * 2**failures, self._options.most_backoff_seconds))
        finally:
            for task in self._runners.values():
                task.cancel()
            await asyncio.gather(*self._runners.values(), return_exceptions=True)

    async def _look_round(self, connection: Connection) -> None:
        for projection in self._projections:
            found = await builds.list_builds(connection, projection.name)
            for build in found:
                if build.version == projection.version and build.state != "retired":
                    self._see_to(projection, build.build)
            if any(build.state == "retired" for build in found):
                await builds.drop_retired(connection, projection.name)

    def _see_to(self, projection: Projection, build: int) -> None:
        """Starts a runner where none runs. One that ended with an error is told of and started again."""
        key = (projection.name, build)
        task = self._runners.get(key)
        if task is not None and not task.done():
            return
        if task is not None and not task.cancelled() and (error := task.exception()) is not None:
            log.error("projection_runner_failed", projection=projection.name, build=build, exc_info=error)
        runner = BuildRunner(
            projection,
            build,
            store=self._store,
            connect=self._connect,
            announcer=self._announcer,
            options=self._options,
        )
        self._runners[key] = asyncio.create_task(runner.run(), name=f"projection-{projection.name}-{build}")


async def prepare(connection: Connection, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """Sees to it that every projection has a build to read, so that queries find their views. Idempotent."""
    for projection in projections:
        await builds.ensure_build(connection, projection)
