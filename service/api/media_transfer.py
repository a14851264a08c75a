"""Files over gRPC: one message about the file, then its bytes in chunks. At most one upload's size is in memory.

A range is named as in Google's ByteStream API: ``read_offset``, and ``read_limit`` with 0 for all.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import AsyncIterator
from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import gallery_service_pb2 as pb

from service.api.dependencies import Core
from service.api.reading import wait_until
from service.api.refusals import TooSlow
from service.domain.errors import InvalidField, NotFound
from service.domain.ids import check_external_id, split_item_id

Call = ServicerContext[Any, Any]
Rendition = pb.DownloadMediaRequest.Rendition

DOWNLOAD_CHUNK_BYTES = 2**18
UPLOAD_CHUNK_BYTES = 2**20
STANDSTILL_SECONDS = 60.0

_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "video/mp4": ".mp4"}


async def download(
    core: Core, request: pb.DownloadMediaRequest, context: Call
) -> AsyncIterator[pb.DownloadMediaResponse]:
    """A file of the user's gallery, or one of the user's reference pictures."""
    check_external_id("user_id", request.user_id)
    source = request.WhichOneof("source")
    if source is None:
        raise InvalidField("source", "is missing; name an item_id or a reference_media_id")
    find = _find_item if source == "item_id" else _find_reference
    metadata, chunks = await find(core, request, context)
    # Read before anything is sent: a file that cannot be had is an error and not the beginning of a download.
    first = await anext(chunks, b"")
    yield pb.DownloadMediaResponse(metadata=metadata)
    if first:
        yield pb.DownloadMediaResponse(chunk=first)
    async for chunk in chunks:
        yield pb.DownloadMediaResponse(chunk=chunk)


File = tuple[pb.DownloadMediaResponse.Metadata, AsyncIterator[bytes]]


async def _find_item(core: Core, request: pb.DownloadMediaRequest, context: Call) -> File:
    split_item_id(request.item_id)
    await wait_until(core, "gallery", request.at_least_position, context)
    row, _ = await core.gallery_queries.item(request.user_id, request.item_id)
    small = request.rendition == Rendition.RENDITION_THUMBNAIL
    stored = row.thumbnail if small else row.media
    name = f"{row.item_id}-thumbnail" if small else row.item_id
    metadata = pb.DownloadMediaResponse.Metadata(
        content_type=stored.content_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        file_name=name + _extension(stored.content_type),
    )
    start, end = _range(request, stored.size_bytes)
    return metadata, core.media.read(stored.key, start=start, end=end, chunk_size_bytes=DOWNLOAD_CHUNK_BYTES)


async def _find_reference(core: Core, request: pb.DownloadMediaRequest, context: Call) -> File:
    media_id = check_external_id("reference_media_id", request.reference_media_id)
    if await core.media.find_reference(request.user_id, media_id) is None:
        raise NotFound("reference picture", media_id)
    content, content_type = await core.media.read_reference(request.user_id, media_id)
    metadata = pb.DownloadMediaResponse.Metadata(
        content_type=content_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        file_name=media_id + _extension(content_type),
    )
    start, end = _range(request, len(content))
    return metadata, _slices(content[start:end])


def _range(request: pb.DownloadMediaRequest, size_bytes: int) -> tuple[int, int]:
    """The first byte to send and the one behind the last."""
    offset, limit = request.read_offset, request.read_limit
    if not 0 <= offset <= size_bytes:
        raise InvalidField("read_offset", f"must be from 0 to {size_bytes}, the size of the file, not {offset}")
    if limit < 0:
        raise InvalidField("read_limit", f"must be 0 (all) or more bytes, not {limit}")
    return offset, min(offset + limit, size_bytes) if limit else size_bytes


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), DOWNLOAD_CHUNK_BYTES):
        yield content[start : start + DOWNLOAD_CHUNK_BYTES]


def _extension(content_type: str) -> str:
    return _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type) or ""


async def upload(core: Core, requests: AsyncIterator[pb.UploadMediaRequest]) -> pb.UploadMediaResponse:
    """Keeps a reference picture. Too much, too little and what comes out of order is refused at once."""
    first = await _next(requests)
    if first is None or first.WhichOneof("content") != "metadata":
        raise InvalidField("metadata", "is missing; the first message must carry it")
    user_id = check_external_id("metadata.user_id", first.metadata.user_id)
    if not 0 <= first.metadata.size_bytes <= core.max_upload_bytes:
        raise _too_large("metadata.size_bytes", core.max_upload_bytes)
    content = bytearray()
    while (message := await _next(requests)) is not None:
        if message.WhichOneof("content") != "chunk":
            raise InvalidField("chunk", "is missing; every message after the first must carry one")
        if len(message.chunk) > UPLOAD_CHUNK_BYTES:
            raise InvalidField("chunk", f"has {len(message.chunk)} bytes; send at most {UPLOAD_CHUNK_BYTES} in one")
        if len(content) + len(message.chunk) > core.max_upload_bytes:
            raise _too_large("chunk", core.max_upload_bytes)
        content += message.chunk
    if not content:
        raise InvalidField("chunk", "is missing; no bytes were sent")
    if first.metadata.size_bytes not in (0, len(content)):
        announced = first.metadata.size_bytes
        raise InvalidField(
            "metadata.size_bytes", f"says {announced} bytes, and {len(content)} came; send all of them"
        )
    kept = await core.media.save_reference(user_id, bytes(content))
    return pb.UploadMediaResponse(
        media_id=kept.media_id,
        content_type=kept.content_type,
        size_bytes=kept.size_bytes,
        width=kept.width,
        height=kept.height,
    )


async def _next(requests: AsyncIterator[pb.UploadMediaRequest]) -> pb.UploadMediaRequest | None:
    """The next message, None at the end. Raises TooSlow."""
    try:
        async with asyncio.timeout(STANDSTILL_SECONDS) as limit:
            return await anext(requests, None)
    except TimeoutError:
        if not limit.expired():
            raise
        raise TooSlow("chunk", STANDSTILL_SECONDS) from None


def _too_large(field: str, limit_bytes: int) -> InvalidField:
    return InvalidField(field, f"is too large; a reference picture may have at most {limit_bytes} bytes")
