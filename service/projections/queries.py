"""What the queries share.

Every query is one statement: rows and ``position`` are of one moment, also while a rebuild switches the views.
Rows come as JSON that PostgreSQL aggregates and msgspec decodes into the port's types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, LiteralString, TypeVar

import msgspec
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from service.ports.read_models import Cursor
from service.projections.projection import Connection, NothingBuilt

Pool = AsyncConnectionPool[Connection]
Row = TypeVar("Row", bound=msgspec.Struct)

MAX_PAGE_SIZE = 1000


def answer(name: LiteralString, columns: sql.Composable) -> sql.Composed:
    """``SELECT position, columns``, with the position of the projection's live build; always one row."""
    return sql.SQL(
        "SELECT here.position, {columns} FROM read.projections AS here {joins} WHERE here.name = {name} AND here.live"
    ).format(columns=columns, name=sql.Literal(name))


async def ask(pool: Pool, name: str, query: sql.Composed, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    """The one row of an ``answer``. Raises NothingBuilt."""
    async with pool.connection() as connection:
        cursor = await connection.execute(query, parameters)
        row = await cursor.fetchone()
    if row is None:
        raise NothingBuilt(name)
    return row


def rows_as_json(select: sql.Composable) -> sql.Composed:
    """A subquery's rows, in its order, as the text of one JSON array."""
    return sql.SQL("(SELECT coalesce(json_agg(r), '[]')::text FROM ({}) AS r)").format(select)


def decode(text: str, row_type: type[Row]) -> list[Row]:
    return msgspec.json.decode(text, type=list[row_type])  # type: ignore[valid-type]


def check_limit(limit: int) -> int:
    """Raises ValueError for what is no page size."""
    if not 1 <= limit <= MAX_PAGE_SIZE:
        raise ValueError(f"limit must be 1 to {MAX_PAGE_SIZE}, not {limit}")
    return limit


class Keyset:
    """A page of a list that runs newest first by (create_position, id), and what lies on either side of it."""

    def __init__(self, cursor: Cursor | None, limit: int) -> None:
        self._cursor = cursor
        self._limit = check_limit(limit)
        self._direction: Literal["older", "newer"] = "older" if cursor is None else cursor.direction
        self.parameters: dict[str, Any] = {"limit": limit + 1}
        if cursor is not None:
            self.parameters |= {"at_position": cursor.create_position, "at_id": cursor.item_id}

    def columns(
        self, fields: sql.Composable, table: sql.Composable, id_column: str, where: sql.Composable
    ) -> sql.Composed:
        """Two columns: the page's rows and one more, and whether anything lies behind the cursor."""
        key = sql.SQL("(create_position, {})").format(sql.Identifier(id_column))
        onward, behind, order = ("<", ">=", "DESC") if self._direction == "older" else (">", "<=", "ASC")
        beyond = sql.SQL("{} {} (%(at_position)s::bigint, %(at_id)s)")
        page = sql.SQL("SELECT {fields} FROM {table} WHERE {where} ORDER BY {order} LIMIT %(limit)s").format(
            fields=fields,
            table=table,
            where=self._and(where, beyond.format(key, sql.SQL(onward))),
            order=sql.SQL("create_position {0}, {1} {0}").format(sql.SQL(order), sql.Identifier(id_column)),
        )
        if self._cursor is None:
            return sql.SQL("{}, false").format(rows_as_json(page))
        rest = sql.SQL("EXISTS (SELECT FROM {table} WHERE {where})").format(
            table=table, where=sql.SQL("{} AND {}").format(where, beyond.format(key, sql.SQL(behind)))
        )
        return sql.SQL("{}, {}").format(rows_as_json(page), rest)

    def _and(self, where: sql.Composable, condition: sql.Composable) -> sql.Composable:
        return where if self._cursor is None else sql.SQL("{} AND {}").format(where, condition)

    def page(
        self, found: list[Row], *, behind: bool, id_field: str
    ) -> tuple[tuple[Row, ...], Cursor | None, Cursor | None]:
        """``(rows newest first, the cursor for older ones, the cursor for newer ones)``."""
        onward = len(found) > self._limit
        rows = found[: self._limit]
        if self._direction == "newer":
            rows.reverse()
        older, newer = (onward, behind) if self._direction == "older" else (behind, onward)
        return (
            tuple(rows),
            _cursor(rows[-1], id_field, "older") if rows and older else None,
            _cursor(rows[0], id_field, "newer") if rows and newer else None,
        )


def _cursor(row: Any, id_field: str, direction: Literal["older", "newer"]) -> Cursor:
    return Cursor(row.create_position, getattr(row, id_field), direction)
