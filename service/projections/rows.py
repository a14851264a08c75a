"""Rows in bulk, as one JSON parameter each way.

msgspec and PostgreSQL both handle JSON in C: a batch of typed rows is written and read with one statement and one
parameter, several times faster than parameters row by row, and a row is checked against its type when it comes back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

import msgspec
from psycopg import sql

from service.projections.projection import Connection

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


def columns(fields: Iterable[str]) -> sql.Composed:
    """``"a", "b", ...``"""
    return sql.SQL(", ").join(map(sql.Identifier, fields))


def select_rows(table: str, key: str, row_type: type[msgspec.Struct]) -> sql.Composed:
    """Reads whole rows by key; ``fetch`` runs it with the keys as its one parameter."""
    return sql.SQL(
        "SELECT coalesce(json_agg(r), '[]')::text FROM (SELECT {fields} FROM {table} WHERE {key} = ANY(%s)) r"
    ).format(fields=columns(row_type.__struct_fields__), table=sql.Identifier(table), key=sql.Identifier(key))


def upsert_rows(table: str, key: Sequence[str], row_type: type[msgspec.Struct]) -> sql.Composed:
    """Writes whole rows, new or not; ``write`` runs it."""
    fields = row_type.__struct_fields__
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(field)) for field in fields if field not in key
    )
    return sql.SQL("{insert} ON CONFLICT ({key}) DO UPDATE SET {changes}").format(
        insert=insert_rows(table, row_type), key=columns(key), changes=changes
    )


def insert_rows(table: str, row_type: type[msgspec.Struct]) -> sql.Composed:
    """Writes new rows; one that is there already is an error. ``write`` runs it."""
    return sql.SQL(
        "INSERT INTO {table} ({fields}) SELECT {fields} FROM json_populate_recordset(NULL::{table}, %s::json)"
    ).format(table=sql.Identifier(table), fields=columns(row_type.__struct_fields__))


async def fetch(connection: Connection, query: sql.Composed, keys: Collection[str], row_type: type[T]) -> list[T]:
    """The rows with these keys; no statement is run for no keys."""
    if not keys:
        return []
    cursor = await connection.execute(query, (list(keys),))
    found = await cursor.fetchone()
    assert found is not None
    return msgspec.json.decode(found[0], type=list[row_type])  # type: ignore[valid-type]


async def write(connection: Connection, query: sql.Composed, rows: Collection[object]) -> None:
    """Runs a statement that takes rows as one JSON array; nothing for no rows."""
    if rows:
        await connection.execute(query, (_encode(rows).decode(),))
