"""The gallery and the trash: pages with the newest first, filters with counts, and what is being made.

A page is found by a token that the service gives with its neighbours (a place in the order, not a number), and the
counts are kept by the service: what a page costs does not depend on how many items there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from clients.sdk import AsyncTriptych, Generation, InvalidArgument, Item, Page, TypeCount
from clients.web.pages.generations import missed
from clients.web.web import page, together, user_of, web_of

PAGE_SIZE = 24
MAX_IN_PROGRESS = 5
MAX_RECENT = 10
"""Among so many of the newest orders failures are looked for that nobody has seen yet."""


@dataclass(frozen=True)
class View:
    """Which items are looked at, and which page of them; goes from page to page in the address."""

    type: str = ""
    favorites: bool = False
    trashed: bool = False
    token: str = ""

    @classmethod
    def of(cls, request: Request, *, trashed: bool = False) -> View:
        asked = request.query_params
        return cls(
            type=asked.get("type", ""),
            favorites=bool(asked.get("favorites")),
            trashed=trashed or bool(asked.get("trashed")),
            token=asked.get("page", ""),
        )

    def query(self, token: str | None = None) -> str:
        """As the query of an address, with another page's token if one is given."""
        parts = {
            "type": self.type,
            "favorites": "1" if self.favorites else "",
            "trashed": "1" if self.trashed else "",
            "page": self.token if token is None else token,
        }
        text = urlencode({name: value for name, value in parts.items() if value})
        return f"?{text}" if text else ""

    def at(self, token: str) -> str:
        """The address of a page of this list."""
        if self.trashed:
            return "/trash" + (f"?{urlencode({'page': token})}" if token else "")
        return "/" + self.query(token)


async def items_of(request: Request, view: View) -> Page[Item]:
    """The page of items; for a token that is not one (an old bookmark), the newest page."""
    client, user_id = web_of(request).client, user_of(request)

    async def fetch(token: str) -> Page[Item]:
        return await client.list_items(
            user_id,
            page_size=PAGE_SIZE,
            page_token=token or None,
            type=view.type or None,
            favorite_only=view.favorites,
            trashed=view.trashed,
        )

    try:
        return await fetch(view.token)
    except InvalidArgument:
        if not view.token:
            raise
        return await fetch("")


async def gallery(request: Request) -> Response:
    """``GET /``"""
    web, user_id = web_of(request), user_of(request)
    view = View.of(request)
    if view.type and view.type not in await web.types():
        view = View(favorites=view.favorites)
    items, counts, (running, recent) = await together(
        items_of(request, view),
        web.client.count_items(user_id),
        _orders(web.client, user_id),
    )
    followed = [("after", str(items.position))] + [("generation", each.generation_id) for each in running]
    return await page(
        request,
        "gallery.html",
        view=view,
        items=items,
        counts=_counts(counts),
        running=running.items,
        missed=missed(request, recent.items),
        notice=request.session.pop("notice", None),
        live="/live?" + urlencode(followed),
    )


async def _orders(client: AsyncTriptych, user_id: str) -> tuple[Page[Generation], Page[Generation]]:
    """What is being made, and after it the newest: whatever ends between the two calls is in one of them."""
    running = await client.list_generations(user_id, unfinished_only=True, page_size=MAX_IN_PROGRESS)
    return running, await client.list_generations(user_id, page_size=MAX_RECENT)


def _counts(counts: tuple[TypeCount, ...]) -> dict[str, int]:
    by_type = {each.type: each.count for each in counts}
    return {
        **by_type,
        "": sum(by_type.values()),
        "favorites": sum(each.favorite_count for each in counts),
        "trashed": sum(each.trashed_count for each in counts),
    }


async def trash(request: Request) -> Response:
    """``GET /trash``"""
    view = View.of(request, trashed=True)
    items = await items_of(request, view)
    return await page(request, "trash.html", view=view, items=items, notice=request.session.pop("notice", None))


async def statement(request: Request) -> Response:
    """``GET /statement``"""
    client, user_id = web_of(request).client, user_of(request)
    token = request.query_params.get("page", "")
    try:
        entries = await client.list_ledger_entries(user_id, page_size=PAGE_SIZE, page_token=token or None)
    except InvalidArgument:
        entries = await client.list_ledger_entries(user_id, page_size=PAGE_SIZE)
    return await page(request, "statement.html", entries=entries)
