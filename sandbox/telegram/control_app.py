"""The control API: act as a person, see what they see, order faults, look at the calls.

JSON over HTTP on a port of its own. Errors are ``{"detail": "..."}``. Tests use it through
``tests/support/telegram.py``.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.http_faults import client_gone
from sandbox.options import InvalidOption
from sandbox.telegram.errors import BotApiError
from sandbox.telegram.faults import UnknownFault
from sandbox.telegram.inspection import mime_type
from sandbox.telegram.options import FloodLimits
from sandbox.telegram.people import CannotBeDone, People
from sandbox.telegram.updates import TooManyUpdates
from sandbox.telegram.views import PressView, chat_view, message_view
from sandbox.telegram.world import Telegram

MAX_WAIT_SECONDS: Final = 60.0
_PERSON: Final = {"first_name", "last_name", "username", "language_code"}


def telegram_control_app(telegram: Telegram) -> Starlette:
    """The application."""
    control = TelegramControl(telegram)
    person = "/telegram/users/{user_id:int}"
    return Starlette(
        routes=[
            Route(person, control.meet, methods=["PUT"]),
            Route(person + "/chat", control.chat, methods=["GET"]),
            Route(person + "/commands", control.commands, methods=["GET"]),
            Route(person + "/messages", control.write, methods=["POST"]),
            Route(person + "/presses", control.press, methods=["POST"]),
            Route(person + "/photos", control.send_photo, methods=["POST"]),
            Route(person + "/documents", control.send_document, methods=["POST"]),
            Route(person + "/videos", control.send_video, methods=["POST"]),
            Route(person + "/blocked", control.block, methods=["PUT"]),
            Route("/telegram/files/{file_id}", control.file, methods=["GET"]),
            Route("/telegram/faults", control.list_faults, methods=["GET"]),
            Route("/telegram/faults", control.order_fault, methods=["POST"]),
            Route("/telegram/limits", control.set_limits, methods=["PUT"]),
            Route("/telegram/counts", control.counts, methods=["GET"]),
            Route("/telegram/calls", control.calls, methods=["GET"]),
            Route("/telegram/reset", control.reset, methods=["POST"]),
        ],
        exception_handlers={
            ClientDisconnect: client_gone,
            CannotBeDone: _refused,
            BotApiError: _refused,
            UnknownFault: _refused,
            InvalidOption: _refused,
            TooManyUpdates: _refused,
        },
    )


class TelegramControl:
    """The endpoints."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._people = People(telegram)

    async def meet(self, request: Request) -> Response:
        """``{first_name?, last_name?, username?, language_code?}``: makes a person, or changes one."""
        told = await _fields(request, _PERSON)
        chat = self._people.meet(_user_id(request), {name: str(value) for name, value in told.items()})
        return JSONResponse(chat.person.view())

    async def chat(self, request: Request) -> Response:
        """The chat as the person sees it; with ``?seen=N&wait_seconds=S`` once there is more than change N."""
        wait_seconds = min(float(request.query_params.get("wait_seconds", 0)), MAX_WAIT_SECONDS)
        if wait_seconds > 0 and not self._telegram.background.closing:
            await self._telegram.changes.wait(int(request.query_params.get("seen", 0)), wait_seconds)
        chat = self._people.chat(_user_id(request))
        return _answer(chat_view(chat, self._telegram.changes.number))

    async def commands(self, request: Request) -> Response:
        """What the person finds in the menu, and reads of the bot, in their language."""
        person = self._people.chat(_user_id(request)).person
        profile = self._telegram.profile
        texts = {name: profile.text_for(name, person.language_code) for name in ("name", "description")}
        return JSONResponse(
            {"commands": profile.commands_for(person.user_id, person.language_code), **texts}
            | {"short_description": profile.text_for("short_description", person.language_code)}
        )

    async def write(self, request: Request) -> Response:
        """``{text}``."""
        body = await _fields(request, {"text"})
        return _answer(message_view(self._people.write(_user_id(request), str(body.get("text", "")))))

    async def send_photo(self, request: Request) -> Response:
        """A form with ``file`` and, if wanted, ``caption``."""
        content, _, caption = await _file(request)
        return _answer(message_view(await self._people.send_photo(_user_id(request), content, caption)))

    async def send_document(self, request: Request) -> Response:
        """The same form."""
        content, name, caption = await _file(request)
        return _answer(message_view(self._people.send_document(_user_id(request), content, name, caption)))

    async def send_video(self, request: Request) -> Response:
        """The same form."""
        content, name, caption = await _file(request)
        return _answer(message_view(await self._people.send_video(_user_id(request), content, name, caption)))

    async def press(self, request: Request) -> Response:
        """``{message_id, button, wait_seconds?}``: presses the button with this data or text.

        Waits for the answer, unless ``wait_seconds`` is 0.
        """
        body = await _fields(request, {"message_id", "button", "wait_seconds"})
        try:
            message_id, button = int(body["message_id"]), str(body["button"])
            wait_seconds = min(float(body.get("wait_seconds", MAX_WAIT_SECONDS)), MAX_WAIT_SECONDS)
        except (KeyError, ValueError) as error:
            raise CannotBeDone(400, "message_id and wait_seconds must be numbers, button a text.") from error
        query_id, answer = self._people.press(_user_id(request), message_id, button)
        await asyncio.wait({answer}, timeout=wait_seconds)
        if not answer.done():
            return _answer(PressView(query_id, answered=False))
        told = answer.result()
        return _answer(PressView(query_id, answered=True, text=told.text, is_alert=told.is_alert, url=told.url))

    async def block(self, request: Request) -> Response:
        """``{blocked}``: whether the person wants to hear from the bot."""
        body = await _fields(request, {"blocked"})
        self._people.block(_user_id(request), blocked=bool(body.get("blocked")))
        return JSONResponse({})

    async def file(self, request: Request) -> Response:
        """The bytes of a file by its id, however large."""
        content = self._telegram.files.content(request.path_params["file_id"])
        if content is None:
            raise CannotBeDone(404, "There is no such file.")
        return Response(content, media_type=mime_type(content))

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse(self._telegram.faults.outstanding())

    async def order_fault(self, request: Request) -> Response:
        """``{method, kind, count?, seconds?}``."""
        body = await _fields(request, {"method", "kind", "count", "seconds"})
        if not {"method", "kind"} <= set(body):
            raise CannotBeDone(400, "The body must have method and kind.")
        self._telegram.faults.order(**body)
        return JSONResponse({}, 201)

    async def set_limits(self, request: Request) -> Response:
        """``{chat_per_second?, chat_burst?, per_second?}``: what is not told is Telegram's own."""
        body = await _fields(request, {"chat_per_second", "chat_burst", "per_second"})
        self._telegram.flood.set_limits(FloodLimits(**body))
        return JSONResponse({})

    async def counts(self, request: Request) -> Response:
        """By method: calls, refused, uploads."""
        return JSONResponse(self._telegram.journal.counts())

    async def calls(self, request: Request) -> Response:
        """The last 1,000 calls."""
        return JSONResponse(self._telegram.journal.records())

    async def reset(self, request: Request) -> Response:
        """Forgets people, messages, updates, presses, faults and counts; see ``Telegram.reset``."""
        self._telegram.reset()
        return JSONResponse({})


def _user_id(request: Request) -> int:
    user_id: int = request.path_params["user_id"]
    return user_id


async def _file(request: Request) -> tuple[bytes, str, str]:
    """Content, name and caption of a form."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise CannotBeDone(400, "The form must have a file, and may have a caption.")
        return await file.read(), file.filename or "", str(form.get("caption", ""))


async def _fields(request: Request, allowed: set[str]) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict) or not set(body) <= allowed:
        raise CannotBeDone(400, f"The body must be a JSON object with {', '.join(sorted(allowed))}.")
    return body


def _answer(view: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(view), media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, CannotBeDone) else 400
    return JSONResponse({"detail": str(error)}, status)
