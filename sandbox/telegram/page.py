"""The chat as a page: a person in front of a browser plays a user of Telegram. ``/chats/<user id>`` shows it.

Static files over the control API; nothing is fetched from elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_FOLDER: Final = Path(__file__).parent / "static"
FIRST_USER: Final = 1


def page_routes() -> list[BaseRoute]:
    """The page of each person, and its files."""
    return [
        Route("/", _first, methods=["GET"]),
        Route("/chats/{user_id:int}", _chat, methods=["GET"]),
        Mount("/static", StaticFiles(directory=_FOLDER)),
    ]


async def _first(request: Request) -> Response:
    return RedirectResponse(f"/chats/{FIRST_USER}")


async def _chat(request: Request) -> Response:
    return FileResponse(_FOLDER / "chat.html")
