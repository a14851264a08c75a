"""The control API: act as a person, see what they see, order faults, look at the calls.

JSON over HTTP on a port of its own. Errors are ``{"detail": "..."}``. Tests use it through
``tests/support/telegram.py``.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.fault_orders import UnknownFault
from sandbox.http_faults import client_gone
from sandbox.listener import Listener
from sandbox.options import InvalidOption
from sandbox.telegram.callbacks import CallbackAnswer
from sandbox.telegram.errors import BotApiError
from sandbox.telegram.inspection import mime_type
from sandbox.telegram.options import FloodLimits
from sandbox.telegram.orders import Block, FaultOrder, Listening, Look, Meet, Press, Write
from sandbox.telegram.page import page_routes
from sandbox.telegram.people import CannotBeDone, People
from sandbox.telegram.updates import TooManyUpdates
from sandbox.telegram.views import PressView, chat_view, message_view
from sandbox.telegram.world import Telegram

Wanted = TypeVar("Wanted")


def telegram_control_app(telegram: Telegram, api: Listener) -> Starlette:
    """The application; ``api`` is the server of the Bot API, which can be closed."""
    control = TelegramControl(telegram, api)
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
            Route("/telegram/listening", control.listen, methods=["PUT"]),
            Route("/telegram/counts", control.counts, methods=["GET"]),
            Route("/telegram/calls", control.calls, methods=["GET"]),
            Route("/telegram/reset", control.reset, methods=["POST"]),
            *page_routes(),
        ],
        exception_handlers={
            ClientDisconnect: client_gone,
            CannotBeDone: _refused,
            msgspec.ValidationError: _refused,
            msgspec.DecodeError: _refused,
            BotApiError: _refused,
            UnknownFault: _refused,
            InvalidOption: _refused,
            TooManyUpdates: _refused,
        },
    )


class TelegramControl:
    """The endpoints. What the bodies of the requests hold is in ``sandbox.telegram.orders``."""

    def __init__(self, telegram: Telegram, api: Listener) -> None:
        self._telegram = telegram
        self._api = api
        self._people = People(telegram)

    async def meet(self, request: Request) -> Response:
        """``Meet``: makes a person, or changes one."""
        told = msgspec.to_builtins(await _body(request, Meet))
        return JSONResponse(self._people.meet(_user_id(request), told).person.view())

    async def chat(self, request: Request) -> Response:
        """The chat as the person sees it; with ``?seen=N&wait_seconds=S`` once there is more than change N."""
        looked = msgspec.convert(dict(request.query_params), Look, strict=False)
        if looked.wait_seconds > 0 and not self._telegram.background.closing:
            await self._telegram.changes.wait(looked.seen, looked.wait_seconds)
        chat = self._people.chat(_user_id(request))
        return _answer(chat_view(chat, self._telegram.changes.number))

    async def commands(self, request: Request) -> Response:
        """What the person finds in the menu, and reads of the bot, in their language."""
        person = self._people.chat(_user_id(request)).person
        profile, language = self._telegram.profile, person.language_code
        texts = {name: profile.text_for(name, language) for name in ("name", "description", "short_description")}
        return JSONResponse({"commands": profile.commands_for(person.user_id, language), **texts})

    async def write(self, request: Request) -> Response:
        """``Write``: a text, or START with the payload of a deep link."""
        wanted = await _body(request, Write)
        if wanted.start is not None:
            return _answer(message_view(self._people.start(_user_id(request), wanted.start)))
        return _answer(message_view(self._people.write(_user_id(request), wanted.text)))

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
        """``Press``: presses a button, waits for the answer, and tells it; a list, one for each time."""
        wanted = await _body(request, Press)
        presses = self._people.press(_user_id(request), wanted.message_id, wanted.button, wanted.times)
        await asyncio.wait([press.answer for press in presses], timeout=wanted.wait_seconds)
        return _answer([_press_view(*press) for press in presses])

    async def block(self, request: Request) -> Response:
        """``Block``: whether the person wants to hear from the bot."""
        self._people.block(_user_id(request), blocked=(await _body(request, Block)).blocked)
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
        """``FaultOrder``."""
        wanted = await _body(request, FaultOrder)
        self._telegram.faults.order(wanted.method, wanted.kind, count=wanted.count, seconds=wanted.seconds)
        return JSONResponse({}, 201)

    async def set_limits(self, request: Request) -> Response:
        """``FloodLimits``: what is not told is Telegram's own."""
        self._telegram.flood.set_limits(await _body(request, FloodLimits))
        return JSONResponse({})

    async def listen(self, request: Request) -> Response:
        """``Listening``: closes the Bot API's port and all its connections, or opens it again."""
        if (await _body(request, Listening)).open:
            await self._api.accept()
        else:
            self._api.refuse()
        return JSONResponse({})

    async def counts(self, request: Request) -> Response:
        """By method: calls, refused, uploads."""
        return JSONResponse(self._telegram.journal.counts())

    async def calls(self, request: Request) -> Response:
        """The last 1,000 calls."""
        return JSONResponse(self._telegram.journal.records())

    async def reset(self, request: Request) -> Response:
        """Forgets people, messages, presses, faults and counts, and opens the port; see ``Telegram.reset``."""
        self._telegram.reset()
        await self._api.accept()
        return JSONResponse({})


def _user_id(request: Request) -> int:
    user_id: int = request.path_params["user_id"]
    return user_id


async def _body(request: Request, wanted: type[Wanted]) -> Wanted:
    return msgspec.json.decode(await request.body() or b"{}", type=wanted)


async def _file(request: Request) -> tuple[bytes, str, str]:
    """Content, name and caption of a form."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise CannotBeDone(400, "The form must have a file, and may have a caption.")
        content = await file.read()
        if not content:
            raise CannotBeDone(400, "The file is empty.")
        return content, file.filename or "", str(form.get("caption", ""))


def _press_view(query_id: str, answer: asyncio.Future[CallbackAnswer]) -> PressView:
    if not answer.done():
        return PressView(query_id, answered=False)
    told = answer.result()
    return PressView(query_id, answered=True, text=told.text, is_alert=told.is_alert, url=told.url)


def _answer(view: msgspec.Struct | list[PressView]) -> Response:
    return Response(msgspec.json.encode(view), media_type="application/json")


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, CannotBeDone) else 400
    return JSONResponse({"detail": str(error)}, status)
