"""One item: the large view, its marks, and making another."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clients.sdk import Generation, Item, NotFound, Page
from clients.web.pages.listing import View, items_of
from clients.web.pages.signing_in import local_path
from clients.web.security import check_form
from clients.web.web import fragment, page, together, user_of, web_of

MAX_SEED = 2**31 - 1
MAX_PAGES_LOOKED_THROUGH = 3


async def show(request: Request) -> Response:
    """``GET /items/ID``, with the list it was opened from in the query."""
    web, user_id, item_id = web_of(request), user_of(request), request.path_params["item_id"]
    item = await web.client.get_item(user_id, item_id)
    view = View.of(request, trashed=item.trashed)
    (newer, older), generation = await together(_neighbours(request, view, item_id), _generation(request, item))
    return await page(
        request,
        "item.html",
        item=item,
        generation=generation,
        view=view,
        newer=newer,
        older=older,
        request_id=str(uuid.uuid4()),
        seed=secrets.randbelow(MAX_SEED),
        notice=request.session.pop("notice", None),
    )


async def _generation(request: Request, item: Item) -> Generation | None:
    """What made it; None where that was not made here."""
    try:
        return await web_of(request).client.get_generation(item.generation_id, user_id=user_of(request))
    except NotFound:
        return None


async def _neighbours(request: Request, view: View, item_id: str) -> tuple[str, str]:
    """Addresses of the newer and the older item in the list; empty where there is none."""
    found = await _page_with(request, view, item_id)
    if found is None:
        return "", ""
    view, items = found
    ids = [each.item_id for each in items]
    at = ids.index(item_id)
    newer = older = ""
    if at > 0:
        newer = _address(ids[at - 1], view, view.token)
    elif items.previous_page_token:
        newer = await _first_or_last(request, view, items.previous_page_token, -1)
    if at + 1 < len(ids):
        older = _address(ids[at + 1], view, view.token)
    elif items.next_page_token:
        older = await _first_or_last(request, view, items.next_page_token, 0)
    return newer, older


async def _page_with(request: Request, view: View, item_id: str) -> tuple[View, Page[Item]] | None:
    """The page with the item: the one it was opened from, or an older one to which what is new has pushed it on."""
    for _ in range(MAX_PAGES_LOOKED_THROUGH):
        items = await items_of(request, view)
        if any(each.item_id == item_id for each in items):
            return view, items
        if not items.next_page_token:
            return None
        view = replace(view, token=items.next_page_token)
    return None


async def _first_or_last(request: Request, view: View, token: str, index: int) -> str:
    neighbour = View(view.type, view.favorites, view.trashed, token)
    items = (await items_of(request, neighbour)).items
    return _address(items[index].item_id, neighbour, token) if items else ""


def _address(item_id: str, view: View, token: str) -> str:
    return f"/items/{item_id}{view.query(token)}"


async def download(request: Request) -> Response:
    """``GET /items/ID/download``: on to a new address of the file, as the page may have been open for longer than
    an address is good.
    """
    path = web_of(request).media_links.path(user_of(request), request.path_params["item_id"], "original")
    return RedirectResponse(f"{path}?save", 303)


async def favorite(request: Request) -> Response:
    """``POST /items/ID/favorite``: on or off; answers with the button alone where a script asked."""
    form = await request.form()
    user_id, item_id = user_of(request), request.path_params["item_id"]
    check_form(request, form)
    client = web_of(request).client
    if form.get("favorite") == "on":
        item = await client.favorite_item(user_id, item_id)
    else:
        item = await client.unfavorite_item(user_id, item_id)
    if request.headers.get("hx-request"):
        return HTMLResponse(fragment(request, "_favorite.html", item=item))
    return RedirectResponse(f"/items/{item_id}", 303)


async def trash(request: Request) -> Response:
    """``POST /items/ID/trash``: then the list again, which offers to undo it."""
    form = await request.form()
    user_id, item_id = user_of(request), request.path_params["item_id"]
    check_form(request, form)
    await web_of(request).client.trash_item(user_id, item_id)
    request.session["notice"] = {"key": "deleted", "item_id": item_id}
    return RedirectResponse(local_path(str(form.get("back", "/"))), 303)


async def restore(request: Request) -> Response:
    """``POST /items/ID/restore``"""
    form = await request.form()
    user_id, item_id = user_of(request), request.path_params["item_id"]
    check_form(request, form)
    await web_of(request).client.restore_item(user_id, item_id)
    request.session["notice"] = {"key": "restored", "item_id": ""}
    return RedirectResponse(local_path(str(form.get("back", "/"))), 303)
