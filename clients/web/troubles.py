"""What people read when something cannot be done: one plain page for each kind of trouble."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from clients.sdk import DeadlineExceeded, InternalError, InvalidArgument, NotFound, Unavailable
from clients.web.web import plain_page

_log = structlog.get_logger("clients.web")


async def sign_in_needed(request: Request, _: Exception) -> Response:
    return _page(request, "signed_out", 401)


async def refused(request: Request, _: Exception) -> Response:
    return _page(request, "stale", 403)


async def not_found(request: Request, _: Exception) -> Response:
    return _page(request, "not_found", 404)


async def service_error(request: Request, error: Exception) -> Response:
    """A call of the service failed, and the page has no better answer."""
    if isinstance(error, NotFound | InvalidArgument):
        return _page(request, "not_found", 404)
    if isinstance(error, Unavailable | DeadlineExceeded):
        return _page(request, "away", 503)
    error_id = error.error_id if isinstance(error, InternalError) else ""
    _log.error("a page failed", path=request.url.path, error=str(error), error_id=error_id)
    return _page(request, "wrong", 500, error_id)


async def defect(request: Request, error: Exception) -> Response:
    """Something of the gallery's own: the server logs it with its traceback."""
    return _page(request, "wrong", 500)


def _page(request: Request, kind: str, status_code: int, error_id: str = "") -> Response:
    if request.url.path.startswith(("/live", "/media/")):
        return PlainTextResponse(kind, status_code)
    retry = request.url.path if request.method == "GET" and kind in ("away", "wrong") else "/"
    retry = "" if kind == "signed_out" else retry
    return plain_page(request, "trouble.html", status_code, kind=kind, retry=retry, error_id=error_id)
