"""Which databases there are: the ones that are configured, or the one that comes with the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import psycopg
import structlog

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.postgres.migrations import migrate
from service.adapters.postgres.pool import connect, describe
from service.bootstrap.checks import make_data_dir
from service.config import Settings
from service.projections.host import prepare

log = structlog.get_logger(__name__)


class NotMigrated(Exception):
    """A configured database lacks our tables; the message says what to run."""


class Databases(NamedTuple):
    """libpq connection strings; both name the same database unless TRIPTYCH_READ_MODELS says otherwise."""

    events: str
    read_models: str
    embedded: bool


@asynccontextmanager
async def open_databases(settings: Settings) -> AsyncIterator[Databases]:
    """Starts the embedded server where no event store is configured, and stops it in the end.

    The embedded database is migrated at once; a configured one only by ``triptychd migrate``, because whoever
    runs a database wants to choose when its tables change. Raises CannotStart, EmbeddedPostgresError.
    """
    if settings.event_store:
        yield Databases(settings.event_store, settings.read_models or settings.event_store, embedded=False)
        return
    make_data_dir(settings)
    async with EmbeddedPostgres(settings.data_dir) as server:
        databases = Databases(server.conninfo, settings.read_models or server.conninfo, embedded=True)
        await migrate_databases(databases)
        yield databases


async def migrate_databases(databases: Databases) -> list[str]:
    """Brings both sets of tables up to date; the names of the files that were applied."""
    applied = await migrate(databases.events, "events")
    return applied + await migrate(databases.read_models, "read_models")


async def prepare_read_models(conninfo: str) -> None:
    """Sees to it that every projection has tables to read. Raises NotMigrated."""
    try:
        async with await connect(conninfo, application_name="triptych-prepare") as connection:
            await prepare(connection)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise NotMigrated(
            f"the database of the read models has no tables yet ({describe(error)}); run 'triptychd migrate' first"
        ) from error
