"""Calls of ``GalleryService``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, TypedDict

from triptych.v1 import gallery_service_pb2 as pb

from clients.sdk import convert, models, results
from clients.sdk.calls.moments import Moment, as_of_fields
from clients.sdk.rpc import Call, Method, StreamCall, build

UPLOAD_CHUNK_BYTES = 2**20


class ItemFilter(TypedDict, total=False):
    """Which items: of one type, favourites, those in the trash, those whose prompts have these words."""

    type: str | None
    favorite_only: bool
    trashed: bool
    words: str | None


def list_items(
    user_id: str, where: ItemFilter, as_of: Moment | None, **fields: Any
) -> Call[results.Page[models.Item]]:
    return Call(
        method=lambda stubs: stubs.gallery.ListItems,
        request=build(pb.ListItemsRequest, user_id=user_id, **where, **fields, **as_of_fields(as_of)),
        convert=convert.item_page,
    )


def stream_items(user_id: str, where: ItemFilter, **fields: Any) -> StreamCall[tuple[models.Item, ...]]:
    return StreamCall(
        method=lambda stubs: stubs.gallery.StreamItems,
        request=build(pb.StreamItemsRequest, user_id=user_id, **where, **fields),
        convert=lambda answer: tuple(convert.item(each) for each in answer.items),
    )


def watch_items(user_id: str, type_name: str | None, after_position: int) -> StreamCall[results.ItemChanges]:
    def resume(request: pb.WatchItemsRequest, answer: pb.WatchItemsResponse) -> None:
        request.after_position = answer.position

    return StreamCall(
        method=lambda stubs: stubs.gallery.WatchItems,
        request=build(pb.WatchItemsRequest, user_id=user_id, type=type_name, after_position=after_position),
        convert=convert.item_changes,
        resume=resume,
        endless=True,
    )


def count_items(user_id: str, as_of: Moment | None) -> Call[tuple[models.TypeCount, ...]]:
    return Call(
        method=lambda stubs: stubs.gallery.CountItems,
        request=build(pb.CountItemsRequest, user_id=user_id, **as_of_fields(as_of)),
        convert=convert.type_counts,
    )


def _item_call(method: Method, kind: type[Any], user_id: str, item_id: str) -> Call[models.Item]:
    return Call(
        method=method,
        request=build(kind, user_id=user_id, item_id=item_id),
        convert=lambda answer: convert.item(answer.item),
    )


def get_item(user_id: str, item_id: str) -> Call[models.Item]:
    return _item_call(lambda stubs: stubs.gallery.GetItem, pb.GetItemRequest, user_id, item_id)


def favorite_item(user_id: str, item_id: str) -> Call[models.Item]:
    return _item_call(lambda stubs: stubs.gallery.FavoriteItem, pb.FavoriteItemRequest, user_id, item_id)


def unfavorite_item(user_id: str, item_id: str) -> Call[models.Item]:
    return _item_call(lambda stubs: stubs.gallery.UnfavoriteItem, pb.UnfavoriteItemRequest, user_id, item_id)


def trash_item(user_id: str, item_id: str) -> Call[models.Item]:
    return _item_call(lambda stubs: stubs.gallery.TrashItem, pb.TrashItemRequest, user_id, item_id)


def restore_item(user_id: str, item_id: str) -> Call[models.Item]:
    return _item_call(lambda stubs: stubs.gallery.RestoreItem, pb.RestoreItemRequest, user_id, item_id)


def download_media(
    user_id: str,
    *,
    item_id: str | None = None,
    reference_media_id: str | None = None,
    thumbnail: bool = False,
    read_offset: int | None = None,
    read_limit: int | None = None,
    restartable: bool = False,
) -> StreamCall[results.FileInfo | bytes]:
    """First a FileInfo, then bytes. A restartable one that broke begins again, with the FileInfo."""
    rendition = pb.DownloadMediaRequest.Rendition
    request = build(
        pb.DownloadMediaRequest,
        user_id=user_id,
        item_id=item_id,
        reference_media_id=reference_media_id,
        rendition=rendition.RENDITION_THUMBNAIL if thumbnail else rendition.RENDITION_ORIGINAL,
        read_offset=read_offset,
        read_limit=read_limit,
    )

    def part(answer: pb.DownloadMediaResponse) -> results.FileInfo | bytes:
        return convert.file_info(answer.metadata) if answer.HasField("metadata") else answer.chunk

    def restart(request: pb.DownloadMediaRequest, answer: pb.DownloadMediaResponse) -> None:
        """The same request again gives the whole file again."""

    return StreamCall(
        method=lambda stubs: stubs.gallery.DownloadMedia,
        request=request,
        convert=part,
        resume=restart if restartable else None,
    )


def upload_requests(user_id: str, content: bytes) -> Iterator[pb.UploadMediaRequest]:
    """What an upload sends: first about the file, then its bytes."""
    # Made at once: what is raised while the messages are sent does not reach the caller.
    metadata = build(pb.UploadMediaRequest.Metadata, user_id=user_id, size_bytes=len(content))
    starts = range(0, len(content), UPLOAD_CHUNK_BYTES)
    chunks = (pb.UploadMediaRequest(chunk=content[start : start + UPLOAD_CHUNK_BYTES]) for start in starts)
    return itertools.chain([pb.UploadMediaRequest(metadata=metadata)], chunks)
