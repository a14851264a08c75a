"""Read models as the service runs them, over a real database: projections, notifications, change feed, queries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.postgres.change_feed import PostgresChangeFeed
from service.adapters.postgres.pool import Pool, connect, make_pool
from service.adapters.postgres.progress import PostgresProgressBoard
from service.adapters.postgres.read_notifier import ReadNotifier
from service.adapters.postgres.work_list import PostgresWorkList
from service.ports.event_store import EventStore
from service.projections.host import ProjectionHost, prepare
from service.projections.projection import Connect, Connection, Projection
from service.projections.queries_credits import PostgresCreditQueries
from service.projections.queries_gallery import PostgresGalleryQueries
from service.projections.queries_generations import PostgresGenerationQueries
from service.projections.registry import PROJECTIONS
from service.projections.runner import RunnerOptions

PATIENCE_SECONDS = 60.0
ALL = tuple(each.name for each in PROJECTIONS)
QUICK = RunnerOptions(retry_seconds=0.05, most_backoff_seconds=0.5)


class ReadModels:
    """What one process has of the read models. ``projections`` run until the context ends."""

    def __init__(self, conninfo: str, pool: Pool, store: EventStore) -> None:
        self.conninfo = conninfo
        self.pool = pool
        self.store = store
        self.notifier = ReadNotifier(conninfo)
        self.feed = PostgresChangeFeed(conninfo, poll_seconds=0.2)
        self.work_list = PostgresWorkList(pool, self.feed, self.notifier)
        self.progress = PostgresProgressBoard(pool, self.notifier)
        self.gallery = PostgresGalleryQueries(pool)
        self.generations = PostgresGenerationQueries(pool)
        self.credits = PostgresCreditQueries(pool)

    async def caught_up(self, names: Sequence[str] = ALL) -> int:
        """Until the live builds have seen the whole log; its head."""
        head = await self.store.head()
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self.feed.wait(name, head, timeout_seconds=PATIENCE_SECONDS))  # type: ignore[arg-type]
        return head

    async def fetch(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query.encode(), parameters)
            return await cursor.fetchall()


def opener(conninfo: str) -> Connect:
    async def open_connection(application_name: str) -> Connection:
        return await connect(conninfo, application_name=application_name)

    return open_connection


@asynccontextmanager
async def running_read_models(
    conninfo: str,
    store: EventStore | None = None,
    *,
    projections: Sequence[Projection] = PROJECTIONS,
    options: RunnerOptions = QUICK,
    with_host: bool = True,
    with_notifier: bool = True,
) -> AsyncIterator[ReadModels]:
    """A process with all roles that concern read models, or all but the projector's (``with_host=False``), or one
    whose notifications are all lost (``with_notifier=False``)."""
    async with make_pool(conninfo, application_name="test read models", max_size=8) as pool:
        async with pool.connection() as connection:
            await prepare(connection, projections)
        models = ReadModels(conninfo, pool, store or MemoryEventStore())
        runs: list[Awaitable[None]] = [models.feed.run()]
        if with_notifier:
            runs.append(models.notifier.run())
        if with_host:
            host = ProjectionHost(
                models.store,
                opener(conninfo),
                models.notifier,
                projections=projections,
                options=options,
                poll_seconds=0.05,
            )
            runs.append(host.run())
        tasks = [asyncio.ensure_future(run) for run in runs]
        try:
            yield models
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(found: Callable[[], Awaitable[bool]], what: str) -> None:
    """Until ``found`` answers yes; looks again and again, for a bounded time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await found():  # noqa: ASYNC110 - the database has no event to wait for
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE_SECONDS} s in vain until {what}") from None
