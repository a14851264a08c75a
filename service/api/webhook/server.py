"""Runs the endpoint with uvicorn inside the event loop of the service.

uvicorn is made to run alone in its process: it installs signal handlers, exits when it cannot listen, and bounds
neither how long a request's head may take nor how long it waits for its last connection. Here signals and the exit
code are the service's own, and every wait has a bound, because this port faces the internet.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.api.server import CannotListen

log = structlog.get_logger(__name__)

START_SECONDS = 30.0
BACKLOG = 512
MAX_CONNECTIONS = 256
"""Further ones are answered with 503 at once."""
MAX_HEAD_BYTES = 16 * 1024
KEEP_ALIVE_SECONDS = 75
"""Longer than the vendor's clients and proxies keep idle connections, so that it is they who close them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookServerOptions:
    host: str = "127.0.0.1"
    port: int = 8081
    """0 takes a free one."""
    head_seconds: float = 20.0
    """How long the head of a request may take, and whatever follows an answer that came early."""
    grace_seconds: int = 5
    """How long requests may take to finish when the server stops."""


class _Protocol(H11Protocol):
    """Closes connections that neither have a request in hand nor bring one in time."""

    head_seconds: ClassVar[float]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer: asyncio.TimerHandle | None = None
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.more_body:
            # Answered early: the rest of the body is thrown away, but not for ever.
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class WebhookServer:
    """``start`` once, ``stop`` once."""

    def __init__(self, app: ASGIApp, options: WebhookServerOptions) -> None:
        self._options = options
        self._uvicorn = _Uvicorn(_config(app, options))
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """``host:port``, once it listens."""
        host = self._options.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def start(self) -> int:
        """Listens, and returns the port. Raises CannotListen."""
        listening = await _bind(self._options.host, self._options.port)
        self.port = listening.getsockname()[1]
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[listening]), name="webhook-server")
        ready = asyncio.create_task(self._uvicorn.ready.wait())
        await asyncio.wait({self._task, ready}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not self._uvicorn.ready.is_set():
            await self.stop()
            listening.close()
            raise CannotListen(f"the webhook endpoint did not start on {self.address}")
        log.info("webhook_listening", address=self.address)
        return self.port

    async def wait_stopped(self) -> None:
        """Until it has stopped; raises what ended it."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Takes no more requests, lets those in hand finish for the grace time, and then cuts them off."""
        if self._task is None:
            return
        self._uvicorn.should_exit = True
        await asyncio.wait({self._task}, timeout=self._options.grace_seconds + 1)
        for connection in list(self._uvicorn.server_state.connections):
            connection.transport.abort()
        _, pending = await asyncio.wait({self._task}, timeout=1)
        if pending:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def _config(app: ASGIApp, options: WebhookServerOptions) -> uvicorn.Config:
    protocol = type("_BoundedProtocol", (_Protocol,), {"head_seconds": options.head_seconds})
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        # Who sent it is proven by a signature; what a proxy says of addresses is not needed.
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=options.grace_seconds,
    )


async def _bind(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CannotListen."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, target = found[0]
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host!r}: there is no such address ({error})") from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    try:
        bound.bind(target)
    except OSError as error:
        bound.close()
        raise CannotListen(
            f"cannot listen on {host}:{port}: the port is taken, or the address is not this machine's ({error})"
        ) from error
    return bound
