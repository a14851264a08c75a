"""A generation: being made, with its place in the queue, and what came of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.sdk import NotCancellable
from clients.web.security import check_form
from clients.web.web import page, user_of, web_of


async def show(request: Request) -> Response:
    """``GET /generations/ID``"""
    client = web_of(request).client
    generation = await client.get_generation(request.path_params["generation_id"], user_id=user_of(request))
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
