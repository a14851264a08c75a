"""Files at signed addresses: thumbnails, pictures, videos piece by piece, reference pictures, downloads."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from clients.sdk import AsyncMediaStream, FileInfo
from clients.web.files import Key, Piece, Unsatisfiable, Whole, piece_of
from clients.web.links import BadLink, MediaLink
from clients.web.web import Web, web_of

# What browsers may show; anything else is only saved.
SHOWN = {"image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm"}


async def media(request: Request) -> Response:
    """``GET /media/TOKEN``; with ``?save`` as a download."""
    web = web_of(request)
    try:
        link = web.media_links.read(request.path_params["token"])
    except BadLink:
        return PlainTextResponse("This address has run out. Open the page again.", 404)
    key = (link.user_id, link.name, link.rendition)
    whole = web.files.get(key)
    info = whole.info if whole else web.files.info(key)
    if info is None:
        whole, info = await _meet(web, link, key)
    headers = _headers(info, link, save="save" in request.query_params)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range") in (None, headers["etag"]) else None
    try:
        piece = piece_of(wanted, info.size_bytes)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{info.size_bytes}"})
    status_code = 200
    if piece is None:
        piece = Piece(0, info.size_bytes - 1)
    else:
        status_code = 206
        headers["content-range"] = f"bytes {piece.first}-{piece.last}/{info.size_bytes}"
    if whole is not None:
        return Response(whole.content[piece.first : piece.last + 1], status_code, headers)
    headers["content-length"] = str(piece.size_bytes)
    stream = await _open(web, link, piece)
    return StreamingResponse(_passed_on(stream), status_code, headers)


async def _meet(web: Web, link: MediaLink, key: Key) -> tuple[Whole | None, FileInfo]:
    """A file that was not asked for lately: kept whole if it is small, else only what is known of it."""
    stream = await _open(web, link)
    try:
        if not web.files.fits(stream.info):
            web.files.know(key, stream.info)
            return None, stream.info
        whole = Whole(stream.info, b"".join([chunk async for chunk in stream]))
    finally:
        await stream.aclose()
    web.files.put(key, whole)
    return whole, whole.info


async def _open(web: Web, link: MediaLink, piece: Piece | None = None) -> AsyncMediaStream:
    offset, limit = (piece.first, piece.size_bytes) if piece else (0, None)
    if link.rendition == "reference":
        return await web.client.open_media(link.user_id, reference_media_id=link.name, offset=offset, limit=limit)
    return await web.client.open_media(
        link.user_id, link.name, thumbnail=link.rendition == "thumbnail", offset=offset, limit=limit
    )


async def _passed_on(stream: AsyncMediaStream) -> AsyncIterator[bytes]:
    """The bytes; fetching ends with the visitor who wanted them."""
    try:
        async for chunk in stream:
            yield chunk
    finally:
        await stream.aclose()


def _headers(info: FileInfo, link: MediaLink, *, save: bool) -> dict[str, str]:
    shown = info.content_type in SHOWN
    headers = {
        "content-type": info.content_type if shown else "application/octet-stream",
        "etag": f'"{info.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": f"private, max-age={max(0, link.until - int(time.time()))}, immutable",
    }
    if save or not shown:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(info.file_name, safe='')}"
    return headers
