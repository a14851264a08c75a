"""The Bot API over HTTP: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.http_faults import Connections, Dropped, client_gone
from sandbox.telegram.calls import Call, read_call
from sandbox.telegram.errors import BotApiError, too_many_requests, too_strict
from sandbox.telegram.faults import Fault
from sandbox.telegram.methods import METHODS, Method
from sandbox.telegram.world import Telegram

_BAD_GATEWAY: Final = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def telegram_app(telegram: Telegram, connections: Connections) -> Starlette:
    """The application."""
    api = BotApi(telegram, connections)
    return Starlette(
        routes=[
            Route("/bot{token}/{method}", api.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", api.download, methods=["GET"]),
        ],
        exception_handlers={ClientDisconnect: client_gone, 404: _not_found, Exception: _defect},
    )


class BotApi:
    """The two endpoints."""

    def __init__(self, telegram: Telegram, connections: Connections) -> None:
        self._telegram = telegram
        self._connections = connections

    async def call(self, request: Request) -> Response:
        """Carries out a method, unless a fault was ordered for it."""
        try:
            self._check_token(request.path_params["token"])
            method = self._method(request.path_params["method"])
            call = await read_call(request, method.name)
        except BotApiError as error:
            return _refusal(error)
        return await self._with_faults(method, call)

    def _method(self, name: str) -> Method:
        method = METHODS.get(name.lower())
        if method is None:
            missing = BotApiError(404, "Not Found: method not found")
            self._telegram.journal.refused(self._telegram.journal.called(name, {}, 0), missing.description)
            raise missing
        return method

    async def _with_faults(self, method: Method, call: Call) -> Response:
        telegram = self._telegram
        record = telegram.journal.called(method.name, dict(call.arguments), len(call.files))
        fault = telegram.faults.take(method.name)
        if fault is not None:
            early = await self._early(fault)
            if early is not None:
                telegram.journal.refused(record, f"fault {fault.kind}")
                return early
        try:
            self._check_parameters(method, call)
            result = await method.run(telegram, call)
        except BotApiError as error:
            telegram.journal.refused(record, error.description)
            return _refusal(error)
        if fault is not None and fault.kind == "drop_after":
            return Dropped(self._connections)
        return JSONResponse({"ok": True, "result": result})

    async def download(self, request: Request) -> Response:
        """A file's bytes."""
        try:
            self._check_token(request.path_params["token"])
        except BotApiError as error:
            return _refusal(error)
        file = self._telegram.files.at(request.path_params["path"])
        if file is None:
            return _refusal(BotApiError(404, "Not Found"))
        return Response(file.content, media_type="application/octet-stream")

    async def _early(self, fault: Fault) -> Response | None:
        """What a fault answers before anything is done; None if the call goes on."""
        match fault.kind:
            case "http_429":
                return _refusal(too_many_requests(max(1, round(fault.seconds))))
            case "http_500":
                return _refusal(BotApiError(500, "Internal Server Error"))
            case "http_502":
                return HTMLResponse(_BAD_GATEWAY, 502)
            case "drop":
                return Dropped(self._connections)
            case "slow":
                await self._telegram.background.pause(fault.seconds)
        return None

    def _check_token(self, token: str) -> None:
        if ":" not in token or token.startswith("0") or len(token) > 80:
            raise BotApiError(401, "Unauthorized: invalid token specified")
        if token != self._telegram.options.token:
            raise BotApiError(401, "Unauthorized")

    def _check_parameters(self, method: Method, call: Call) -> None:
        if not self._telegram.options.strict:
            return
        attached = {name for name in call.files if f"attach://{name}" in str(call.arguments)}
        if unknown := (set(call.arguments) | set(call.files)) - attached - method.parameters:
            raise too_strict(f"{method.name} has no parameter {', '.join(sorted(unknown))}")


def _refusal(error: BotApiError) -> Response:
    headers = {"Retry-After": str(error.retry_after_seconds)} if error.retry_after_seconds else {}
    return JSONResponse(error.body(), error.code, headers)


async def _not_found(request: Request, error: Exception) -> Response:
    return _refusal(BotApiError(404, "Not Found"))


async def _defect(request: Request, error: Exception) -> Response:
    """A defect of the server's own: it is logged, and the bot is told."""
    return _refusal(BotApiError(500, f"Internal Server Error: sandbox: {error!r}"))
