"""Queries on the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql

from service.domain.errors import NotFound
from service.ports.read_models import Cursor, ItemChanges, ItemFilter, ItemPage, ItemRow, TypeCount
from service.projections.gathered import Gathered
from service.projections.queries import (
    Keyset,
    Pool,
    answer,
    answers,
    arrays,
    ask,
    ask_all,
    check_limit,
    decode,
    rows_as_json,
    with_new_columns,
)
from service.projections.rows import columns
from service.projections.words import search_query

_ITEMS = with_new_columns(
    sql.SQL("read.gallery_items"), [*ItemRow.__struct_fields__, "search"], "items", imported=False
)
_FIELDS = columns(ItemRow.__struct_fields__)

_LIST = (_FIELDS, _ITEMS)
_MATCH = sql.SQL("search @@ %(search)s::tsquery")
_TYPES: Mapping[str, LiteralString] = {
    "user_id": "text",
    "generation_type": "text",
    "limit": "integer",
    "at_time": "timestamptz",
    "at_position": "bigint",
}
"""Of the parameters that the query of a page may have."""
PAGES_AT_ONCE = 16
SCANNED_ITEMS = 2000
"""How many of the next items a search looks through before it turns to the index of words."""

_ITEM = answer(
    "gallery",
    rows_as_json(
        sql.SQL("SELECT {} FROM {} WHERE item_id = %(item_id)s AND user_id = %(user_id)s").format(_FIELDS, _ITEMS)
    ),
)
_CHANGES = answers(
    "gallery",
    rows_as_json(
        sql.SQL(
            "SELECT {} FROM {} WHERE user_id = %(user_id)s AND update_position > %(after)s"
            " ORDER BY update_position LIMIT %(limit)s"
        ).format(_FIELDS, _ITEMS)
    ),
    {"user_id": "text", "after": "bigint", "limit": "integer"},
)
_COUNTS = answer(
    "gallery",
    rows_as_json(
        sql.SQL(
            "SELECT generation_type, count, favorite_count, trashed_count FROM read.gallery_counts"
            " WHERE user_id = %(user_id)s ORDER BY generation_type"
        )
    ),
)


Shape = tuple[str, bool, bool, bool, bool]
"""All that makes the queries of pages differ: direction, by type, favourites only, trash, nothing at all."""
Found = tuple[int, list[ItemRow], bool]
"""Position, rows, and whether anything lies behind the cursor."""


class PostgresGalleryQueries:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._pages: dict[Shape, Gathered[Mapping[str, Any], Found]] = {}
        # An event may wake thousands of watchers at once.
        self._changes = Gathered(self._ask_changes, most_at_once=PAGES_AT_ONCE)

    async def list_items(self, where: ItemFilter, *, cursor: Cursor | None, limit: int) -> ItemPage:
        keyset = Keyset(cursor, limit)
        condition, parameters = _condition(where)
        parameters |= keyset.parameters
        search = search_query(where.user_id, where.words)
        if search:
            position, found, behind = await self._search(keyset, condition, parameters | {"search": search})
        else:
            # Signs only, and no item has a word of those: better nothing than everything.
            nothing = bool(where.words.strip())
            shape = (keyset.direction, bool(where.generation_type), where.favorite_only, where.trashed, nothing)
            if shape not in self._pages:
                self._pages[shape] = self._page(keyset, sql.SQL("false") if nothing else condition, parameters)
            position, found, behind = await self._pages[shape].get(parameters)
        items, older, newer = keyset.page(found, behind=behind)
        return ItemPage(
            items=items,
            older=older,
            newer=newer,
            has_next=older is not None,
            has_previous=newer is not None,
            position=position,
        )

    def _page(
        self, keyset: Keyset, condition: sql.Composable, parameters: Mapping[str, Any]
    ) -> Gathered[Mapping[str, Any], Found]:
        """Asks for pages of one shape, of whosever galleries."""
        types = {name: _TYPES[name] for name in parameters}
        query = answers("gallery", keyset.columns(*_LIST, condition), types)

        async def ask_for(asked: Sequence[Mapping[str, Any]]) -> list[Found]:
            rows = await ask_all(self._pool, "gallery", query, arrays(asked))
            return [(position, decode(found, ItemRow), behind) for position, found, behind in rows]

        return Gathered(ask_for, most_at_once=PAGES_AT_ONCE)

    async def _search(self, keyset: Keyset, condition: sql.Composable, parameters: dict[str, Any]) -> Found:
        """Common words are found among the next few rows of the list, rare ones through the index of words. The
        planner cannot tell which is which, and is wrong by seconds where somebody has very many items."""
        scan = answer("gallery", keyset.scan_columns(*_LIST, condition, _MATCH))
        position, found, behind = await self._ask(scan, parameters | {"scan": SCANNED_ITEMS})
        if keyset.is_full(found):
            return position, found, behind
        return await self._ask(answer("gallery", keyset.columns(*_LIST, condition, _MATCH)), parameters)

    async def _ask(self, query: bytes, parameters: dict[str, Any]) -> Found:
        position, found, behind = await ask(self._pool, "gallery", query, parameters)
        return position, decode(found, ItemRow), behind

    async def count_items(self, user_id: str) -> tuple[Sequence[TypeCount], int]:
        position, found = await ask(self._pool, "gallery", _COUNTS, {"user_id": user_id})
        return decode(found, TypeCount), position

    async def item(self, user_id: str, item_id: str) -> tuple[ItemRow, int]:
        parameters = {"user_id": user_id, "item_id": item_id}
        position, found = await ask(self._pool, "gallery", _ITEM, parameters)
        rows = decode(found, ItemRow)
        if not rows:
            raise NotFound("item", item_id)
        return rows[0], position

    async def changes(self, user_id: str, *, after: int, limit: int) -> ItemChanges:
        asked = {"user_id": user_id, "after": after, "limit": check_limit(limit) + 1}
        position, items = await self._changes.get(asked)
        if len(items) <= limit:
            return ItemChanges(items=tuple(items), position=position, caught_up=True)
        # An event changes one item, so no two rows share a position and none is cut in half.
        return ItemChanges(items=tuple(items[:limit]), position=items[limit - 1].update_position, caught_up=False)

    async def _ask_changes(self, asked: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[ItemRow]]]:
        rows = await ask_all(self._pool, "gallery", _CHANGES, arrays(asked))
        return [(position, decode(found, ItemRow)) for position, found in rows]


def _condition(where: ItemFilter) -> tuple[sql.Composable, dict[str, Any]]:
    """What a filter means but for its words, in the terms of the partial indexes."""
    conditions = [sql.SQL("user_id = %(user_id)s"), sql.SQL("trashed" if where.trashed else "NOT trashed")]
    parameters: dict[str, Any] = {"user_id": where.user_id}
    if where.generation_type:
        conditions.append(sql.SQL("generation_type = %(generation_type)s"))
        parameters["generation_type"] = where.generation_type
    if where.favorite_only:
        conditions.append(sql.SQL("favorite"))
    return sql.SQL(" AND ").join(conditions), parameters
