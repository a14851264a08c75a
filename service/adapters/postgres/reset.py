"""Dropping all read models of a database, so that they are built anew from the log. What they hold is derived from
it; lost are the reports of vendors, which come again, and the marks of events that were stepped over."""

from __future__ import annotations

from psycopg import sql

from service.adapters.postgres.pool import Connection

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'triptych%'
"""


class InUse(Exception):
    """A service is at work on the read models."""

    def __init__(self) -> None:
        super().__init__("a service is at work on these read models; stop every process of it first")


async def drop_read_models(connection: Connection) -> None:
    """Drops them, in one transaction. Raises InUse; they have to be migrated before they can be used again."""
    async with connection.transaction():
        row = await (await connection.execute(_OTHERS)).fetchone()
        if row is not None and row[0]:
            raise InUse
        rows = await (await connection.execute("SELECT schema_name FROM read.projections")).fetchall()
        for (schema_name,) in rows:
            await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema_name)))
        await connection.execute("DROP SCHEMA read CASCADE")
        await connection.execute("DELETE FROM triptych.schema_migrations WHERE starts_with(name, 'read_models/')")
