"""A table (or view) of a PostgreSQL, oldest rows first.

The rows come through a cursor that the server holds for us after its transaction has ended: bringing files in may
take hours, and a transaction that is open as long would keep the other database from cleaning up. What is written to
the table meanwhile is for the next run. All columns come as text, so that no value is too strange to be read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from service.adapters.older_gallery.source import OlderGallery
from service.application.imports_rows import RawRow, SourceBroken, map_columns
from service.domain.errors import InvalidField

_ROWS_AT_ONCE = 500
_CONNECT_TIMEOUT_SECONDS = 30
_SESSION = "SET default_transaction_read_only = on; SET timezone = 'UTC'; SET datestyle = 'ISO'"

_Cursor = psycopg.AsyncServerCursor[dict[str, Any]]


@asynccontextmanager
async def open_table(conninfo: str, table: str, chosen: Mapping[str, str]) -> AsyncIterator[OlderGallery]:
    """``table`` may be named with its schema. Raises InvalidField, psycopg.OperationalError."""
    name = sql.Identifier(*table.split("."))
    async with await _connect(conninfo) as connection:
        await connection.execute(_SESSION)
        try:
            empty = await connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(name))
            columns = map_columns([each.name for each in empty.description or ()], chosen)
            counted = await connection.execute(sql.SQL("SELECT count(*) AS rows FROM {}").format(name))
            total = await counted.fetchone()
        except psycopg.ProgrammingError as error:
            raise InvalidField("table", f"{table!r} cannot be read: {_first_line(error)}") from error
        wanted = sorted({each for group in columns.values() for each in group})
        query = sql.SQL("SELECT {} FROM {} ORDER BY {}, {}").format(
            sql.SQL(", ").join(sql.SQL("{0}::text AS {0}").format(sql.Identifier(each)) for each in wanted),
            name,
            sql.SQL("{}.{}").format(name, sql.Identifier(columns["created_at"][0])),
            sql.SQL("{}.{}").format(name, sql.Identifier(columns["id"][0])),
        )
        async with connection.cursor("older_gallery", withhold=True) as cursor:
            await cursor.execute(query)
            yield OlderGallery(columns, total["rows"] if total else None, _rows(cursor))


async def _connect(conninfo: str) -> psycopg.AsyncConnection[dict[str, Any]]:
    try:
        return await psycopg.AsyncConnection.connect(
            conninfo,
            autocommit=True,
            row_factory=dict_row,
            connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            application_name="triptych-import",
        )
    except psycopg.ProgrammingError as error:
        raise InvalidField("from", f"is no connection string: {_first_line(error)}") from error


async def _rows(cursor: _Cursor) -> AsyncIterator[RawRow]:
    number = 0
    try:
        while rows := await cursor.fetchmany(_ROWS_AT_ONCE):
            for row in rows:
                number += 1
                yield RawRow(number, row)
    except psycopg.Error as error:
        raise SourceBroken(f"the table cannot be read beyond row {number}: {_first_line(error)}") from error


def _first_line(error: psycopg.Error) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
