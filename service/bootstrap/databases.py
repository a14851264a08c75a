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
from service.config.conninfo import names_kurrentdb
from service.projections.host import prepare

log = structlog.get_logger(__name__)


class NotMigrated(Exception):
    """A configured database lacks our tables; the message says what to run."""


class Databases(NamedTuple):
    """Connection strings; both name the same database unless TRIPTYCH_READ_MODELS says otherwise, or the event store
    is KurrentDB, which holds no read models."""

    events: str
    """libpq's, or KurrentDB's."""
    read_models: str
    """libpq's."""
    embedded: bool
    """Whether the one of the read models is the one that comes with the service."""


@asynccontextmanager
async def open_databases(settings: Settings) -> AsyncIterator[Databases]:
    """Starts the embedded server where no database is configured, and stops it in the end.

    The embedded database is migrated at once; a configured one only by ``triptychd migrate``, because whoever
    runs a database wants to choose when its tables change. Raises CannotStart, EmbeddedPostgresError.
    """
    if (databases := configured_databases(settings)) is not None:
        yield databases
        return
    make_data_dir(settings)
    async with EmbeddedPostgres(settings.data_dir) as server:
        databases = databases_with(settings, server.conninfo)
        await migrate_databases(databases)
        yield databases


def configured_databases(settings: Settings) -> Databases | None:
    """Those of the settings, or None where one is wanted that comes with the service."""
    events = settings.event_store
    if not events or (names_kurrentdb(events) and not settings.read_models):
        return None
    return Databases(events, settings.read_models or events, embedded=False)


def databases_with(settings: Settings, embedded: str) -> Databases:
    """Those of the settings, with an embedded one in place of what they leave out."""
    return Databases(settings.event_store or embedded, settings.read_models or embedded, embedded=True)


async def migrate_databases(databases: Databases) -> list[str]:
    """Brings the sets of tables up to date; the names of the files that were applied. KurrentDB has no tables."""
    applied = [] if names_kurrentdb(databases.events) else await migrate(databases.events, "events")
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
