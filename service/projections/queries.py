"""What the queries share.

Every query is one statement: rows and ``position`` are of one moment, also while a rebuild switches the views.
Rows come as JSON that PostgreSQL aggregates and msgspec decodes into the port's types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, LiteralString, TypeVar

import msgspec
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from service.ports.read_models import Cursor
from service.projections.projection import Connection, NothingBuilt, telling_outages

Pool = AsyncConnectionPool[Connection]
Row = TypeVar("Row", bound=msgspec.Struct)

MAX_PAGE_SIZE = 1000
_ALWAYS = sql.SQL("true")


def answer(name: LiteralString, columns: sql.Composable) -> bytes:
    """``SELECT position, columns``, with the position of the projection's live build; always one row.

    As the text that it becomes: composing it anew for every call would cost as much as asking.
    """
    query = sql.SQL(
        "SELECT here.position, {columns} FROM read.projections AS here WHERE here.name = {name} AND here.live"
    )
    return query.format(columns=columns, name=sql.Literal(name)).as_bytes()


def answers(name: LiteralString, columns: sql.Composable, types: Mapping[str, LiteralString]) -> bytes:
    """An ``answer`` for each of many askers, in their order. ``types`` are those of the parameters that ``columns``
    has; the query takes ``arrays`` of them."""
    text = columns.as_string()
    for parameter in types:
        text = text.replace(f"%({parameter})s", f'asked."{parameter}"')
    places = [sql.SQL("{}::{}[]").format(sql.Placeholder(each), sql.SQL(kind)) for each, kind in types.items()]
    query = sql.SQL(
        "SELECT here.position, page.* FROM read.projections AS here,"
        " unnest({arrays}) WITH ORDINALITY AS asked ({parameters}, number), LATERAL (SELECT {columns}) AS page"
        " WHERE here.name = {name} AND here.live ORDER BY asked.number"
    )
    return query.format(
        arrays=sql.SQL(", ").join(places),
        parameters=sql.SQL(", ").join(map(sql.Identifier, types)),
        columns=sql.SQL(text),
        name=sql.Literal(name),
    ).as_bytes()


def arrays(asked: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The parameters of many askers, by name."""
    return {name: [each[name] for each in asked] for name in asked[0]}


async def ask(pool: Pool, name: str, query: bytes, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    """The one row of an ``answer``. Raises ReadModelsUnavailable, of which NothingBuilt is one."""
    return (await ask_all(pool, name, query, parameters))[0]


async def ask_all(pool: Pool, name: str, query: bytes, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of ``answers``. Raises the same."""
    with telling_outages():
        async with pool.connection() as connection:
            cursor = await connection.execute(query, parameters)
            rows = await cursor.fetchall()
    if not rows:
        raise NothingBuilt(name)
    return rows


def with_new_columns(
    view: sql.Composable, fields: Iterable[str], alias: LiteralString, **absent: bool
) -> sql.Composed:
    """What stands behind FROM for a view that may still be that of an earlier version's build, which serves until the
    new one has caught up: the columns of ``absent`` that it lacks are as said.

    A name that the innermost table does not have is looked for further out, and there it is found. The planner sees
    through all of it.
    """
    defaults = (
        sql.SQL("{} AS {}").format(sql.Literal(value), sql.Identifier(name)) for name, value in absent.items()
    )
    return sql.SQL(
        "(SELECT {alias}.* FROM (SELECT {defaults}) AS absent, LATERAL (SELECT {fields} FROM {view}) AS {alias})"
        " AS {alias}"
    ).format(
        alias=sql.Identifier(alias),
        defaults=sql.SQL(", ").join(defaults),
        fields=sql.SQL(", ").join(map(sql.Identifier, fields)),
        view=view,
    )


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
    """A page of a list that runs newest first by (create_time, create_position), and what lies on either side of it.

    Time alone orders what people see: what came into the log late, from an older gallery, still stands where it
    belongs. A position is one row's alone, so no two rows share a place.
    """

    def __init__(self, cursor: Cursor | None, limit: int) -> None:
        self._cursor = cursor
        self._limit = check_limit(limit)
        self.direction = cursor.direction if cursor is not None else "first"
        """With the condition, all that the columns depend on."""
        self._newer = self.direction == "newer"
        self._order = _order("ASC" if self._newer else "DESC")
        self.parameters: dict[str, Any] = {"limit": limit + 1}
        if cursor is not None:
            self.parameters |= {"at_time": cursor.create_time, "at_position": cursor.create_position}

    def columns(
        self,
        fields: sql.Composable,
        table: sql.Composable,
        where: sql.Composable,
        match: sql.Composable = _ALWAYS,
    ) -> sql.Composed:
        """Two columns: the page's rows and one more, and whether anything lies behind the cursor.

        ``match`` is a further condition that no index serves in this order. Whether something lies behind is
        answered without it: a search may offer a way back to an empty page, and is spared looking for it.
        """
        page = sql.SQL("SELECT {} FROM {} WHERE {} AND {} {} LIMIT %(limit)s").format(
            fields, table, self._onward(where), match, self._order
        )
        return self._with_rest(page, table, where)

    def scan_columns(
        self, fields: sql.Composable, table: sql.Composable, where: sql.Composable, match: sql.Composable
    ) -> sql.Composed:
        """The same, but of the first ``%(scan)s`` rows only, in the list's own order whatever the planner thinks."""
        scanned = sql.SQL("SELECT * FROM {} WHERE {} {} LIMIT %(scan)s").format(
            table, self._onward(where), self._order
        )
        page = sql.SQL("SELECT {} FROM ({}) AS scanned WHERE {} {} LIMIT %(limit)s").format(
            fields, scanned, match, self._order
        )
        return self._with_rest(page, table, where)

    def _with_rest(self, page: sql.Composable, table: sql.Composable, where: sql.Composable) -> sql.Composed:
        if self._cursor is None:
            return sql.SQL("{}, false").format(rows_as_json(page))
        # The nearest one, not EXISTS: of that the planner thinks that any scan finds one at once, and reads it all.
        nearest = sql.SQL("SELECT true FROM {} WHERE {} AND {} {} LIMIT 1").format(
            table, where, _beyond("<=" if self._newer else ">="), _order("DESC" if self._newer else "ASC")
        )
        return sql.SQL("{}, ({}) IS NOT NULL").format(rows_as_json(page), nearest)

    def _onward(self, where: sql.Composable) -> sql.Composable:
        if self._cursor is None:
            return where
        return sql.SQL("{} AND {}").format(where, _beyond(">" if self._newer else "<"))

    def is_full(self, found: list[Row]) -> bool:
        """Whether the page is full and it is known that more follow."""
        return len(found) > self._limit

    def page(self, found: list[Row], *, behind: bool) -> tuple[tuple[Row, ...], Cursor | None, Cursor | None]:
        """``(rows newest first, the cursor for older ones, the cursor for newer ones)``."""
        onward = self.is_full(found)
        rows = found[: self._limit]
        if self._newer:
            rows.reverse()
        older, newer = (behind, onward) if self._newer else (onward, behind)
        return (
            tuple(rows),
            _cursor(rows[-1], "older") if rows and older else None,
            _cursor(rows[0], "newer") if rows and newer else None,
        )


def _order(direction: LiteralString) -> sql.Composed:
    return sql.SQL("ORDER BY create_time {0}, create_position {0}").format(sql.SQL(direction))


def _beyond(comparison: LiteralString) -> sql.Composed:
    return sql.SQL("(create_time, create_position) {} (%(at_time)s::timestamptz, %(at_position)s::bigint)").format(
        sql.SQL(comparison)
    )


def _cursor(row: Any, direction: Literal["older", "newer"]) -> Cursor:
    return Cursor(row.create_time, row.create_position, direction)
