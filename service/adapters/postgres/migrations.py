"""Plain SQL files, applied once, in the order of their names, each in one transaction.

There are two sets, because read models may live in another database than the log: ``events`` and ``read_models``
(folders beside this file). What was applied is kept with its checksum in ``triptych.schema_migrations``. Services
that start together take turns under an advisory lock. A file that was applied is never edited: a changed one is
refused, and the change belongs into a new file. Files that the database has and this program does not know (an
older replica that restarts during a roll-out) are logged and left alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, NamedTuple

import structlog
from psycopg.rows import tuple_row

from service.adapters.postgres.pool import Connection, connect

_log = structlog.get_logger(__name__)

MigrationSet = Literal["events", "read_models"]

# An arbitrary number, the same in every release: services of different versions take turns too.
_ADVISORY_LOCK = 0x7472_6970_0001
_TIMEOUT_SECONDS = 600.0

_BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS triptych;
CREATE TABLE IF NOT EXISTS triptych.schema_migrations (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""


class MigrationEdited(Exception):
    """A file that this database has already seen was changed afterwards."""

    def __init__(self, name: str, applied_sha256: str, found_sha256: str) -> None:
        super().__init__(
            f"the migration {name} was edited after this database had applied it (sha256 was {applied_sha256[:12]}, "
            f"is {found_sha256[:12]}); restore the file and put the change into a new one"
        )
        self.name = name
        self.applied_sha256 = applied_sha256
        self.found_sha256 = found_sha256


class Migration(NamedTuple):
    name: str
    """With its set: ``events/0001_log.sql``."""
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(name: MigrationSet, folder: Path | None = None) -> list[Migration]:
    """The set's files in order. Git may change line ends on a checkout; checksums do not see it."""
    found = (folder or Path(__file__).with_name("migrations")) / name
    return [Migration(f"{name}/{path.name}", path.read_text("utf-8")) for path in sorted(found.glob("*.sql"))]


async def migrate(conninfo: str, name: MigrationSet, *, folder: Path | None = None) -> list[str]:
    """Brings the database up to date and returns the names of what was applied, in order.

    Raises MigrationEdited; psycopg.Error if the database cannot be reached or refuses a file, in which case
    that file left nothing behind and the earlier ones stay applied.
    """
    migrations = migrations_of(name, folder)
    applied = []
    connection = await connect(
        conninfo, application_name="triptych-migrate", statement_timeout_seconds=_TIMEOUT_SECONDS
    )
    async with connection:
        async with connection.transaction():
            await _lock(connection)
            await connection.execute(_BOOKKEEPING)
        await _note_unknown(connection, name, migrations)
        for migration in migrations:
            async with connection.transaction():
                await _lock(connection)
                if await _is_applied(connection, migration):
                    continue
                await connection.execute(migration.sql.encode())
                await connection.execute(
                    "INSERT INTO triptych.schema_migrations (name, sha256) VALUES (%s, %s)",
                    [migration.name, migration.sha256],
                )
            _log.info("migration_applied", name=migration.name)
            applied.append(migration.name)
    return applied


async def _lock(connection: Connection) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


async def _is_applied(connection: Connection, migration: Migration) -> bool:
    cursor = connection.cursor(row_factory=tuple_row)
    await cursor.execute("SELECT sha256 FROM triptych.schema_migrations WHERE name = %s", [migration.name])
    row = await cursor.fetchone()
    if row is None:
        return False
    if row[0] != migration.sha256:
        raise MigrationEdited(migration.name, row[0], migration.sha256)
    return True


async def _note_unknown(connection: Connection, name: MigrationSet, known: list[Migration]) -> None:
    cursor = await connection.execute(
        "SELECT name FROM triptych.schema_migrations WHERE starts_with(name, %s) AND name <> ALL (%s) ORDER BY name",
        [f"{name}/", [each.name for each in known]],
    )
    if unknown := [row[0] for row in await cursor.fetchall()]:
        _log.warning("database_is_newer_than_this_program", migrations=unknown)
