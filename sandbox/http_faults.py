"""How a fault reaches the wire: closed connections, pages where JSON should be, bodies that never end.

ASGI has no way to close a connection without an answer, so the server that accepted it is asked to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.background import Background
from sandbox.faults import Fault

HUGE_BYTES: Final = 2 * 1024**3
_CHUNK_BYTES: Final = 64 * 1024
_MAX_WAITS: Final = 100


class Connections(Protocol):
    """The server's side of its connections, by the client's address."""

    def cut(self, client: tuple[str, int]) -> None:
        """Closes at once; what was not sent yet is lost."""

    def hang_up(self, client: tuple[str, int]) -> None:
        """Closes after what was written so far has been sent."""


class Dropped(Response):
    """No answer: the connection is closed."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connections.cut(tuple(scope["client"]))
        await _disconnected(receive)


class Truncated(Response):
    """The first half of a body whose whole length was announced."""

    def __init__(self, connections: Connections, content: bytes, media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
        self._connections.hang_up(tuple(scope["client"]))
        await _disconnected(receive)


def endless(background: Background, beginning: bytes, media_type: str, *, announced: bool) -> Response:
    """``HUGE_BYTES`` of body that begins like the real thing; its length is announced or not."""

    async def chunks() -> AsyncIterator[bytes]:
        yield beginning
        sent = len(beginning)
        while sent < HUGE_BYTES and not background.closing:
            length = min(_CHUNK_BYTES, HUGE_BYTES - sent)
            yield bytes(length)
            sent += length
            # The loop must stay free for others, and notice a client that has gone.
            await asyncio.sleep(0)

    headers = {"Content-Length": str(HUGE_BYTES)} if announced else {}
    return StreamingResponse(chunks(), media_type=media_type, headers=headers)


async def early_answer(
    fault: Fault | None,
    background: Background,
    connections: Connections,
    error_by_code: Callable[[int], Response],
) -> Response | None:
    """What a fault answers before anything is done; None if the request goes on (perhaps after a wait)."""
    if fault is None:
        return None
    if fault.kind == "drop":
        return Dropped(connections)
    if fault.kind == "slow":
        await background.pause(fault.seconds)
        return None
    if fault.kind == "html":
        return HTMLResponse("<!doctype html><html><title>Sign in</title><p>Please sign in to the network.</p></html>")
    if fault.kind == "broken_json":
        return broken_json()
    if fault.kind.startswith("http_") and not fault.kind.endswith("_after"):
        return error_by_code(int(fault.kind.removeprefix("http_")))
    return None


def broken_json() -> Response:
    return Response('{"status": "IN_QUEUE", "request_id": "019', media_type="application/json")


async def client_gone(request: Request, error: Exception) -> Response:
    """Exception handler: the client went away in the middle of its request (it was killed, say)."""
    return Response(status_code=499)


async def _disconnected(receive: Receive) -> None:
    for _ in range(_MAX_WAITS):
        if (await receive())["type"] == "http.disconnect":
            return
