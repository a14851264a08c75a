"""``GalleryService``: lists, watches and curation of items. Files go through ``media_transfer.py``."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from grpc.aio import ServicerContext
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceServicer
from triptych.v1.item_pb2 import Item

from service.api import checks, convert, media_transfer, page_tokens
from service.api.caller import CALLER
from service.api.dependencies import Core
from service.api.moments import gallery_then, moment_of
from service.api.page_tokens import Question
from service.api.reading import SOON_SECONDS, fitting, patience_seconds, until_stopping, wait_until
from service.domain.errors import InvalidField, NotFound
from service.domain.generation import curation
from service.domain.ids import check_external_id, split_item_id
from service.ports.projections import ProjectionBehind
from service.ports.read_models import ItemChanges, ItemFilter, ItemRow, TypeCount

Call = ServicerContext[Any, Any]


class GalleryServicer(GalleryServiceServicer):
    def __init__(self, core: Core) -> None:
        self._core = core

    async def ListItems(self, request: pb.ListItemsRequest, context: Call) -> pb.ListItemsResponse:
        where = self._filter(request)
        question = (*_question(where), *moment_of(request))
        cursor = page_tokens.decode_cursor(request.page_token, question)
        limit = checks.page_size(request.page_size)
        queries = await gallery_then(self._core, request, context)
        page = await queries.list_items(where, cursor=cursor, limit=limit)
        return pb.ListItemsResponse(
            items=convert.items(page.items),
            next_page_token=page_tokens.encode(page.older, question),
            previous_page_token=page_tokens.encode(page.newer, question),
            position=page.position,
        )

    async def StreamItems(
        self, request: pb.StreamItemsRequest, context: Call
    ) -> AsyncIterator[pb.StreamItemsResponse]:
        where = self._filter(request)
        limit = checks.page_size(request.page_size, default=checks.MAX_PAGE_SIZE)
        await wait_until(self._core, "gallery", request.at_least_position, context)
        cursor = None
        while True:
            page = await self._core.gallery_queries.list_items(where, cursor=cursor, limit=limit)
            if page.items:
                for response in fitting(_stream_response(page.position), convert.items(page.items)):
                    yield response
            cursor = page.older
            if cursor is None:
                return

    async def WatchItems(self, request: pb.WatchItemsRequest, context: Call) -> AsyncIterator[pb.WatchItemsResponse]:
        core = self._core
        user_id = check_external_id("user_id", request.user_id)
        self._check_type(request.type)
        position = await self._resume_position(request.after_position)
        caught_up = False
        async for _ in until_stopping(core.feed.watch("gallery", user_id), core.stopping):
            while True:
                # Read only now: a reader who was slow finds here the newest state of all that changed meanwhile.
                changes = await core.gallery_queries.changes(user_id, after=position, limit=checks.MAX_PAGE_SIZE)
                before, position = position, max(position, changes.position)
                for response in _watch_responses(changes, request.type, before, position, told_all=caught_up):
                    yield response
                if changes.caught_up:
                    caught_up = True
                    break

    async def CountItems(self, request: pb.CountItemsRequest, context: Call) -> pb.CountItemsResponse:
        user_id = check_external_id("user_id", request.user_id)
        queries = await gallery_then(self._core, request, context)
        counts, position = await queries.count_items(user_id)
        found = {count.generation_type: count for count in counts}
        names = [*self._core.catalog.types, *sorted(found.keys() - self._core.catalog.types.keys())]
        nothing = TypeCount(generation_type="", count=0, favorite_count=0, trashed_count=0)
        ordered = [msgspec.structs.replace(found.get(name, nothing), generation_type=name) for name in names]
        return pb.CountItemsResponse(counts=[convert.type_count(count) for count in ordered], position=position)

    async def GetItem(self, request: pb.GetItemRequest, context: Call) -> pb.GetItemResponse:
        user_id = check_external_id("user_id", request.user_id)
        split_item_id(request.item_id)
        await wait_until(self._core, "gallery", request.at_least_position, context)
        row, position = await self._core.gallery_queries.item(user_id, request.item_id)
        return pb.GetItemResponse(item=convert.item(row), position=position)

    async def FavoriteItem(self, request: pb.FavoriteItemRequest, context: Call) -> pb.FavoriteItemResponse:
        item, position = await self._curate(curation.favorite, request.user_id, request.item_id, context)
        return pb.FavoriteItemResponse(item=item, position=position)

    async def UnfavoriteItem(self, request: pb.UnfavoriteItemRequest, context: Call) -> pb.UnfavoriteItemResponse:
        item, position = await self._curate(curation.unfavorite, request.user_id, request.item_id, context)
        return pb.UnfavoriteItemResponse(item=item, position=position)

    async def TrashItem(self, request: pb.TrashItemRequest, context: Call) -> pb.TrashItemResponse:
        item, position = await self._curate(curation.trash, request.user_id, request.item_id, context)
        return pb.TrashItemResponse(item=item, position=position)

    async def RestoreItem(self, request: pb.RestoreItemRequest, context: Call) -> pb.RestoreItemResponse:
        item, position = await self._curate(curation.restore, request.user_id, request.item_id, context)
        return pb.RestoreItemResponse(item=item, position=position)

    def DownloadMedia(
        self, request: pb.DownloadMediaRequest, context: Call
    ) -> AsyncIterator[pb.DownloadMediaResponse]:
        return media_transfer.download(self._core, request, context)

    async def UploadMedia(
        self, request_iterator: AsyncIterator[pb.UploadMediaRequest], context: Call
    ) -> pb.UploadMediaResponse:
        return await media_transfer.upload(self._core, request_iterator)

    async def _curate(
        self, decision: curation.ItemDecision, user_id: str, item_id: str, context: Call
    ) -> tuple[Item, int]:
        """Applies a decision. Marks are taken from the log, so there is no read model to wait for, but for a moment:
        when nothing changed, only the gallery knows when the item changed last."""
        core = self._core
        outcome = await core.curation.apply(decision, user_id=user_id, item_id=item_id, context=CALLER.get().context)
        if not outcome.changed:
            patience = min(SOON_SECONDS, patience_seconds(core, context))
            with contextlib.suppress(ProjectionBehind):
                await core.waiter.wait("gallery", outcome.position, timeout_seconds=patience)
        try:
            row, _ = await core.gallery_queries.item(user_id, item_id)
        except NotFound:  # So new that the gallery does not have it yet.
            await core.waiter.wait("gallery", outcome.position, timeout_seconds=patience_seconds(core, context))
            row, _ = await core.gallery_queries.item(user_id, item_id)
        marks = outcome.state.item(item_id)
        if marks is not None:
            row = msgspec.structs.replace(row, favorite=marks.favorite, trashed=marks.trashed)
        if outcome.changed:
            row = msgspec.structs.replace(row, update_position=outcome.position)
        return convert.item(row), outcome.position

    async def _resume_position(self, after: int) -> int:
        if after:
            head = await self._core.history.head()
            if not 0 <= after <= head:
                raise InvalidField("after_position", f"must be 0 to {head}, where the log ends now, not {after}")
        return after

    def _filter(self, request: pb.ListItemsRequest | pb.StreamItemsRequest) -> ItemFilter:
        self._check_type(request.type)
        return ItemFilter(
            user_id=check_external_id("user_id", request.user_id),
            generation_type=request.type,
            favorite_only=request.favorite_only,
            trashed=request.trashed,
            words=checks.free_text("words", request.words, most=checks.MAX_WORDS_LENGTH),
        )

    def _check_type(self, name: str) -> None:
        if name:
            self._core.catalog.find(name)


def _stream_response(position: int) -> Callable[[Any], pb.StreamItemsResponse]:
    return lambda items: pb.StreamItemsResponse(items=items, position=position)


def _question(where: ItemFilter) -> Question:
    return ("items", *msgspec.structs.astuple(where))


def _watch_responses(
    changes: ItemChanges, only_type: str, before: int, position: int, *, told_all: bool
) -> list[pb.WatchItemsResponse]:
    """What a watcher is told of ``changes``: nothing when there is no news, else messages that each fit.

    Only the last message of a read may carry its position: whoever resumes from an earlier one would miss the rest.
    """
    rows = [row for row in changes.items if not only_type or row.generation_type == only_type]
    if not rows and (told_all or not changes.caught_up):
        return []
    removed = [row.item_id for row in rows if row.trashed]
    kept: list[ItemRow] = [row for row in rows if not row.trashed]
    responses = fitting(lambda items: pb.WatchItemsResponse(items=items, position=before), convert.items(kept))
    responses[-1].removed_item_ids.extend(removed)
    responses[-1].position = position
    responses[-1].caught_up = changes.caught_up
    return responses
