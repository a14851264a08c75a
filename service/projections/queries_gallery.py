"""Queries on the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from service.domain.errors import NotFound
from service.ports.read_models import Cursor, ItemChanges, ItemFilter, ItemPage, ItemRow, TypeCount
from service.projections.queries import (
    Keyset,
    Pool,
    answer,
    ask,
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
SCANNED_ITEMS = 2000
"""How many of the next items a search looks through before it turns to the index of words."""

_ITEM = answer(
    "gallery",
    rows_as_json(
        sql.SQL("SELECT {} FROM {} WHERE item_id = %(item_id)s AND user_id = %(user_id)s").format(_FIELDS, _ITEMS)
    ),
)
_CHANGES = answer(
    "gallery",
    rows_as_json(
        sql.SQL(
            "SELECT {} FROM {} WHERE user_id = %(user_id)s AND update_position > %(after)s"
            " ORDER BY update_position LIMIT %(limit)s"
        ).format(_FIELDS, _ITEMS)
    ),
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


class PostgresGalleryQueries:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._pages: dict[tuple[str, bool, bool, bool, bool], bytes] = {}
        """The queries of pages, by all that makes them differ."""

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
            if (query := self._pages.get(shape)) is None:
                condition = sql.SQL("false") if nothing else condition
                query = self._pages[shape] = answer("gallery", keyset.columns(*_LIST, condition))
            position, found, behind = await self._ask(query, parameters)
        items, older, newer = keyset.page(found, behind=behind)
        return ItemPage(
            items=items,
            older=older,
            newer=newer,
            has_next=older is not None,
            has_previous=newer is not None,
            position=position,
        )

    async def _search(
        self, keyset: Keyset, condition: sql.Composable, parameters: dict[str, Any]
    ) -> tuple[int, list[ItemRow], bool]:
        """Common words are found among the next few rows of the list, rare ones through the index of words. The
        planner cannot tell which is which, and is wrong by seconds where somebody has very many items."""
        scan = answer("gallery", keyset.scan_columns(*_LIST, condition, _MATCH))
        position, found, behind = await self._ask(scan, parameters | {"scan": SCANNED_ITEMS})
        if keyset.is_full(found):
            return position, found, behind
        return await self._ask(answer("gallery", keyset.columns(*_LIST, condition, _MATCH)), parameters)

    async def _ask(self, query: bytes, parameters: dict[str, Any]) -> tuple[int, list[ItemRow], bool]:
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
        parameters = {"user_id": user_id, "after": after, "limit": check_limit(limit) + 1}
        position, found = await ask(self._pool, "gallery", _CHANGES, parameters)
        items = decode(found, ItemRow)
        if len(items) <= limit:
            return ItemChanges(items=tuple(items), position=position, caught_up=True)
        # An event changes one item, so no two rows share a position and none is cut in half.
        return ItemChanges(items=tuple(items[:limit]), position=items[limit - 1].update_position, caught_up=False)


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
