"""Files at signed addresses: thumbnails, pictures, videos piece by piece, reference pictures, downloads."""

from __future__ import annotations

import time
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from clients.sdk import AsyncMediaStream, FileInfo
from clients.web.files import Piece, Unsatisfiable, Whole, cut, piece_of
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
    stream = None if whole else await _open(web, link)
    if stream is not None and web.files.fits(stream.info):
        whole = Whole(stream.info, b"".join([chunk async for chunk in stream]))
        web.files.put(key, whole)
        stream = None
    return await _answer(request, link, whole, stream)


async def _open(web: Web, link: MediaLink) -> AsyncMediaStream:
    if link.rendition == "reference":
        return await web.client.open_media(link.user_id, reference_media_id=link.name)
    return await web.client.open_media(link.user_id, link.name, thumbnail=link.rendition == "thumbnail")


async def _answer(
    request: Request, link: MediaLink, whole: Whole | None, stream: AsyncMediaStream | None
) -> Response:
    info = whole.info if whole else stream.info if stream else None
    assert info is not None
    headers = _headers(info, link, save="save" in request.query_params)
    if request.headers.get("if-none-match") == headers["etag"]:
        return await _without_body(stream, 304, headers)
    wanted = request.headers.get("range") if request.headers.get("if-range") in (None, headers["etag"]) else None
    try:
        piece = piece_of(wanted, info.size_bytes)
    except Unsatisfiable:
        return await _without_body(stream, 416, {**headers, "content-range": f"bytes */{info.size_bytes}"})
    status_code = 200
    if piece is None:
        piece = Piece(0, info.size_bytes - 1)
    else:
        status_code = 206
        headers["content-range"] = f"bytes {piece.first}-{piece.last}/{info.size_bytes}"
    if whole is not None or stream is None:
        assert whole is not None
        return Response(whole.content[piece.first : piece.last + 1], status_code, headers)
    headers["content-length"] = str(piece.size_bytes)
    return StreamingResponse(cut(stream, piece), status_code, headers)


async def _without_body(stream: AsyncMediaStream | None, status_code: int, headers: dict[str, str]) -> Response:
    if stream is not None:
        await stream.aclose()
    return Response(status_code=status_code, headers=headers)


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
