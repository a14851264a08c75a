"""What every role shares: the event store, the commands, the read models' queries and their wake-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.adapters.clock import SystemClock
from service.adapters.eventstore.upcasters import UPCASTERS, current_versions
from service.adapters.media import ObjectMediaStore
from service.adapters.postgres.change_feed import PostgresChangeFeed
from service.adapters.postgres.pool import Connection, Pool, connect, make_pool
from service.adapters.postgres.read_notifier import ReadNotifier
from service.adapters.postgres.snapshots import PostgresSnapshots
from service.adapters.postgres.work_list import PostgresWorkList
from service.api.dependencies import Core
from service.application.credits import Credits
from service.application.curation import Curation
from service.application.execute import Executor
from service.application.generations import Generations
from service.application.history import History
from service.application.snapshots import Snapshots
from service.application.what_if import WhatIf
from service.bootstrap.databases import Databases
from service.bootstrap.stores import open_event_store
from service.config import Settings
from service.domain.catalog import Catalog
from service.domain.errors import PreconditionFailed
from service.ports.event_store import EventStore
from service.ports.projections import ProjectionStatus
from service.projections import operations
from service.projections.host import ProjectionHost
from service.projections.past import LogPastQueries
from service.projections.projection import NotStoppedThere, telling_outages
from service.projections.queries_credits import PostgresCreditQueries
from service.projections.queries_gallery import PostgresGalleryQueries
from service.projections.queries_generations import PostgresGenerationQueries


class ProjectionOperations:
    """``service.api.dependencies.ProjectionControl``."""

    def __init__(self, pool: Pool, store: EventStore) -> None:
        self._pool = pool
        self._store = store

    async def statuses(self) -> Sequence[ProjectionStatus]:
        head = await self._store.head()
        with telling_outages():
            return await operations.statuses(self._pool, head=head)

    async def skip(self, projection: str, position: int, *, actor: str, reason: str) -> None:
        try:
            with telling_outages():
                await operations.skip(self._pool, projection, position, actor=actor, reason=reason)
        except NotStoppedThere as error:
            raise PreconditionFailed(str(error), projection=projection, position=position) from error


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the roles are built from."""

    store: EventStore
    pool: Pool
    feed: PostgresChangeFeed
    notifier: ReadNotifier
    work_list: PostgresWorkList
    clock: SystemClock
    snapshots: Snapshots
    core: Core


@asynccontextmanager
async def open_shared(
    settings: Settings, databases: Databases, catalog: Catalog, media: ObjectMediaStore
) -> AsyncIterator[Shared]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_event_store(databases.events, max_readers=settings.pool_size))
        pool = await stack.enter_async_context(
            make_pool(databases.read_models, application_name="triptych-read-models", max_size=settings.pool_size)
        )
        feed = PostgresChangeFeed(databases.read_models)
        notifier = ReadNotifier(databases.read_models)
        clock = SystemClock()
        snapshots = Snapshots(PostgresSnapshots(pool), store)
        executor = Executor(store, snapshots=snapshots)
        history = History(store, clock, schema_versions=current_versions(UPCASTERS))
        core = Core(
            generations=Generations(executor, catalog, media, clock),
            credits=Credits(executor, clock),
            curation=Curation(executor),
            history=history,
            what_if=WhatIf(history, store, catalog),
            catalog=catalog,
            media=media,
            gallery_queries=PostgresGalleryQueries(pool),
            generation_queries=PostgresGenerationQueries(pool),
            credit_queries=PostgresCreditQueries(pool),
            past=LogPastQueries(store),
            waiter=feed,
            feed=feed,
            projections=ProjectionOperations(pool, store),
            max_upload_bytes=settings.max_upload_bytes,
        )
        yield Shared(
            store=store,
            pool=pool,
            feed=feed,
            notifier=notifier,
            work_list=PostgresWorkList(pool, feed, notifier),
            clock=clock,
            snapshots=snapshots,
            core=core,
        )


def projection_host(store: EventStore, databases: Databases, notifier: ReadNotifier) -> ProjectionHost:
    """What runs the projections of one process."""

    async def connect_read_models(application_name: str) -> Connection:
        return await connect(databases.read_models, application_name=application_name)

    return ProjectionHost(store, connect_read_models, notifier)
