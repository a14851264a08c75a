"""Galleries and accounts as they were: from the log up to a position, through the projections' own folds.

A user's past stands in few streams: the account's, the imports', and those of the generations that these name. They
are read up to the position and folded as the projections fold them, so the answer is what the read model said then; a
test holds the two together. What was never changes, so what was folded last is kept for the next page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
from cachetools import LRUCache

from service.application.owners import Owners
from service.application.streams import generations_of, read_generations, read_whole
from service.domain.errors import NotFound
from service.domain.ids import account_stream
from service.ports.event_store import EventStore
from service.ports.read_models import (
    AccountRow,
    CreditQueries,
    Cursor,
    GalleryQueries,
    ItemChanges,
    ItemFilter,
    ItemPage,
    ItemRow,
    LedgerPage,
    LedgerRow,
    TypeCount,
)
from service.projections.credits import CreditsFold, StoredAccount, StoredEntry
from service.projections.gallery import GALLERY, GalleryFold
from service.projections.gallery_rows import NewItem, place
from service.projections.queries import Keyset, check_limit
from service.projections.words import begins_words

KEPT_ITEMS = 20_000
KEPT_ENTRIES = 100_000

T = TypeVar("T")
Key = tuple[str, int]
"""A user and a position."""


class _Kept(Generic[T]):
    """The last folded pasts, as many as fit; sizes in rows."""

    def __init__(self, most_rows: int, rows: Callable[[T], int]) -> None:
        self._cache: LRUCache[Key, T] = LRUCache(most_rows, getsizeof=rows)
        self._rows = rows
        self.get = self._cache.get

    def keep(self, key: Key, past: T) -> None:
        if self._rows(past) <= self._cache.maxsize:
            self._cache[key] = past


class _Gallery(NamedTuple):
    items: Sequence[NewItem]
    """Newest first."""
    counts: Sequence[TypeCount]


class _Account(NamedTuple):
    row: AccountRow
    entries: Sequence[StoredEntry]
    """Oldest first; types of generations are not filled in."""


class LogPastQueries:
    """``service.ports.read_models.PastQueries`` over the event store alone."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._owners = Owners(store)
        self._galleries: _Kept[_Gallery] = _Kept(KEPT_ITEMS, lambda past: 1 + len(past.items))
        self._accounts: _Kept[_Account] = _Kept(KEPT_ENTRIES, lambda past: 1 + len(past.entries))

    def gallery(self, position: int) -> GalleryQueries:
        return _PastGallery(self._store, self._galleries, position)

    def credits(self, position: int) -> CreditQueries:
        return _PastCredits(self._store, self._owners, self._accounts, position)


class _PastGallery:
    def __init__(self, store: EventStore, kept: _Kept[_Gallery], position: int) -> None:
        self._store = store
        self._kept = kept
        self._position = position

    async def list_items(self, where: ItemFilter, *, cursor: Cursor | None, limit: int) -> ItemPage:
        keyset = Keyset(cursor, limit)
        past = await self._past(where.user_id)
        onward, behind = _split([each for each in past.items if _matches(each, where)], cursor)
        found = [each for each in onward if begins_words(where.user_id, where.words, each.words)][: limit + 1]
        rows, older, newer = keyset.page([*map(_row, found)], behind=behind)
        return ItemPage(
            items=rows,
            older=older,
            newer=newer,
            has_next=older is not None,
            has_previous=newer is not None,
            position=self._position,
        )

    async def count_items(self, user_id: str) -> tuple[Sequence[TypeCount], int]:
        return (await self._past(user_id)).counts, self._position

    async def item(self, user_id: str, item_id: str) -> tuple[ItemRow, int]:
        for each in (await self._past(user_id)).items:
            if each.item_id == item_id:
                return _row(each), self._position
        raise NotFound("item", item_id)

    async def changes(self, user_id: str, *, after: int, limit: int) -> ItemChanges:
        changed = [each for each in (await self._past(user_id)).items if each.update_position > after]
        changed.sort(key=lambda each: each.update_position)
        rows = tuple(map(_row, changed[: check_limit(limit)]))
        caught_up = len(changed) <= limit
        position = self._position if caught_up else rows[-1].update_position
        return ItemChanges(items=rows, position=position, caught_up=caught_up)

    async def _past(self, user_id: str) -> _Gallery:
        key = (user_id, self._position)
        if (known := self._kept.get(key)) is not None:
            return known
        fold = GalleryFold([], [])
        generation_ids = await generations_of(self._store, user_id, until=self._position)
        async for batch in read_generations(self._store, generation_ids, until=self._position):
            for recorded in batch:
                if recorded.type in GALLERY.event_types:
                    fold.apply(recorded)
        items = [each for each in fold.items.values() if isinstance(each, NewItem)]
        items.sort(key=place, reverse=True)
        counts = sorted(fold.counts.values(), key=lambda each: each.generation_type)
        past = _Gallery(items, [_count(each) for each in counts])
        self._kept.keep(key, past)
        return past


class _PastCredits:
    def __init__(self, store: EventStore, owners: Owners, kept: _Kept[_Account], position: int) -> None:
        self._store = store
        self._owners = owners
        self._kept = kept
        self._position = position

    async def account(self, user_id: str) -> tuple[AccountRow, int]:
        return (await self._past(user_id)).row, self._position

    async def ledger(self, user_id: str, *, before_entry_number: int, limit: int) -> LedgerPage:
        past = await self._past(user_id)
        end = min(before_entry_number - 1, len(past.entries)) if before_entry_number > 0 else len(past.entries)
        start = max(0, end - check_limit(limit))
        entries = past.entries[start:end][::-1]
        types = await self._owners.of_generations({each.generation_id for each in entries}, until=self._position)
        rows = [msgspec.convert(each, LedgerRow, from_attributes=True) for each in entries]
        return LedgerPage(
            entries=tuple(
                msgspec.structs.replace(row, generation_type=types[row.generation_id].generation_type)
                if row.generation_id in types
                else row
                for row in rows
            ),
            next_entry_number=start + 1 if start else 0,
            has_next=start > 0,
            has_previous=before_entry_number > 0,
            position=self._position,
        )

    async def _past(self, user_id: str) -> _Account:
        key = (user_id, self._position)
        if (known := self._kept.get(key)) is not None:
            return known
        fold = CreditsFold([], [])
        async for batch in read_whole(self._store, account_stream(user_id), until=self._position):
            for recorded in batch:
                fold.apply(recorded)
        stored = fold.accounts.get(user_id) or StoredAccount(user_id, 0, 0, 0, 0, 0, 0)
        past = _Account(msgspec.convert(stored, AccountRow, from_attributes=True), fold.entries)
        self._kept.keep(key, past)
        return past


def _matches(item: NewItem, where: ItemFilter) -> bool:
    return (
        item.trashed == where.trashed
        and where.generation_type in ("", item.generation_type)
        and (item.favorite or not where.favorite_only)
    )


def _split(items: Sequence[NewItem], cursor: Cursor | None) -> tuple[Sequence[NewItem], bool]:
    """Of a list that runs newest first: what a page reads from, in the page's direction, and whether anything lies
    behind the cursor."""
    if cursor is None:
        return items, False
    at = (cursor.create_time, cursor.create_position)
    if cursor.direction == "newer":
        onward = [each for each in reversed(items) if place(each) > at]
    else:
        onward = [each for each in items if place(each) < at]
    return onward, len(onward) < len(items)


def _row(item: NewItem) -> ItemRow:
    return ItemRow(**{field: getattr(item, field) for field in ItemRow.__struct_fields__})


def _count(change: object) -> TypeCount:
    return msgspec.convert(change, TypeCount, from_attributes=True)
