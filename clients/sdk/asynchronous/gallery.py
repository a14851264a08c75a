"""Users' galleries: pages, watches, marks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Unpack

from clients.sdk.asynchronous.transport import AsyncMethods
from clients.sdk.calls import gallery as calls
from clients.sdk.calls.gallery import ItemFilter
from clients.sdk.calls.moments import Moment
from clients.sdk.models import Item, TypeCount
from clients.sdk.results import ItemChanges, Page


class AsyncGallery(AsyncMethods):
    """The methods of ``GalleryService``, but for files."""

    async def list_items(
        self,
        user_id: str,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
        as_of: Moment | None = None,
        **where: Unpack[ItemFilter],
    ) -> Page[Item]:
        """One page of what matches, newest first; ``as_of`` a position or a time, as it was then."""
        call = calls.list_items(user_id, where, as_of, page_size=page_size, page_token=page_token)
        return await self._transport.call(call)

    async def iter_items(
        self,
        user_id: str,
        *,
        page_size: int | None = None,
        as_of: Moment | None = None,
        **where: Unpack[ItemFilter],
    ) -> AsyncIterator[Item]:
        """Everything that matches, newest first, fetched page by page as it is needed."""
        page_token: str | None = None
        while page_token != "":
            page = await self.list_items(user_id, page_size=page_size, page_token=page_token, as_of=as_of, **where)
            for item in page:
                yield item
            page_token = page.next_page_token

    def stream_items(
        self, user_id: str, *, page_size: int | None = None, **where: Unpack[ItemFilter]
    ) -> AsyncGenerator[tuple[Item, ...], None]:
        """Everything that matches, newest first, as pages on one stream: the quickest way to all of it."""
        return self._transport.stream(calls.stream_items(user_id, where, page_size=page_size))

    def watch_items(
        self, user_id: str, *, type: str | None = None, after_position: int = 0
    ) -> AsyncGenerator[ItemChanges, None]:
        """What there is (or is new after a position), and then what changes. Goes on after a lost connection."""
        return self._transport.stream(calls.watch_items(user_id, type, after_position))

    async def count_items(self, user_id: str, *, as_of: Moment | None = None) -> tuple[TypeCount, ...]:
        """How many items there are, per type; with ``as_of`` as it was then."""
        return await self._transport.call(calls.count_items(user_id, as_of))

    async def get_item(self, user_id: str, item_id: str) -> Item:
        """One item, also from the trash."""
        return await self._transport.call(calls.get_item(user_id, item_id))

    async def favorite_item(self, user_id: str, item_id: str) -> Item:
        """Marks an item as a favourite."""
        return await self._transport.call(calls.favorite_item(user_id, item_id))

    async def unfavorite_item(self, user_id: str, item_id: str) -> Item:
        """Takes the mark off."""
        return await self._transport.call(calls.unfavorite_item(user_id, item_id))

    async def trash_item(self, user_id: str, item_id: str) -> Item:
        """Moves an item to the trash; its files stay."""
        return await self._transport.call(calls.trash_item(user_id, item_id))

    async def restore_item(self, user_id: str, item_id: str) -> Item:
        """Brings an item back from the trash."""
        return await self._transport.call(calls.restore_item(user_id, item_id))
