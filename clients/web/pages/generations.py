"""A generation: being made, with its place in the queue, and what came of it.

Whoever has closed the page learns of a failure in the gallery, where it stands until it was opened or put away, for
a day at most: what somebody has seen is kept in the session.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.sdk import Generation, NotCancellable
from clients.web.pages.signing_in import local_path
from clients.web.security import check_form
from clients.web.web import page, user_of, web_of

MISSED_HOURS = 24
MAX_SEEN = 20
"""More than the gallery looks for; the session is a cookie, and small."""


async def show(request: Request) -> Response:
    """``GET /generations/ID``"""
    client = web_of(request).client
    generation = await client.get_generation(request.path_params["generation_id"], user_id=user_of(request))
    if generation.failure:
        _mark_seen(request, generation.generation_id)
    live = "" if generation.ended else f"/live?whole=1&generation={generation.generation_id}"
    notice = request.session.pop("notice", None)
    return await page(request, "generation.html", generation=generation, live=live, notice=notice)


async def cancel(request: Request) -> Response:
    """``POST /generations/ID/cancel``"""
    user_id, generation_id = user_of(request), request.path_params["generation_id"]
    check_form(request, await request.form())
    try:
        await web_of(request).client.cancel_generation(generation_id, user_id=user_id)
    except NotCancellable:
        request.session["notice"] = {"key": "cancel_late", "item_id": ""}
    return RedirectResponse(f"/generations/{generation_id}", 303)


async def seen(request: Request) -> Response:
    """``POST /generations/ID/seen``: a failure is not shown in the gallery any more."""
    user_of(request)
    form = await request.form()
    check_form(request, form)
    _mark_seen(request, request.path_params["generation_id"])
    return RedirectResponse(local_path(str(form.get("back", "/"))), 303)


def _mark_seen(request: Request, generation_id: str) -> None:
    known = [each for each in request.session.get("seen", []) if each != generation_id]
    request.session["seen"] = [*known, generation_id][-MAX_SEEN:]


def missed(request: Request, generations: Iterable[Generation]) -> list[Generation]:
    """Those that failed within a day, and whose failure nobody has seen."""
    seen, since = request.session.get("seen", []), datetime.now(UTC) - timedelta(hours=MISSED_HOURS)
    return [
        each
        for each in generations
        if each.failure and each.end_time and each.end_time > since and each.generation_id not in seen
    ]
