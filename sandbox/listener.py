"""One HTTP server of the sandbox: uvicorn, made to close its port and cut connections when a test wants that.

While the port is closed a second socket keeps it bound without listening, so that clients are refused and nobody else
is given the port.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

_START_SECONDS: Final = 30.0
_BACKLOG: Final = 2048
_KEEP_ALIVE_SECONDS: Final = 120
"""Longer than clients keep idle connections: a server that closes first makes a request fail now and then."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers, telling when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class PortTaken(OSError):
    """The port that was asked for is in use. ``port`` is its number."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is in use; name another one, or 0 for a free one.")
        self.port = port


class Listener:
    """Serves an application on a loopback port, with TLS if given a context. The port is known from the start."""

    def __init__(self, host: str, port: int, tls: SSLContext | None = None) -> None:
        self._host = host
        self._tls = tls
        self._holder = _bound(host, port)
        self.port: int = self._holder.getsockname()[1]
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self.port}"

    async def start(self, app: ASGIApp) -> None:
        """Serves ``app``; returns when connections are accepted."""
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=2,
        )
        config.load()
        config.ssl = self._tls
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[_bound(self._host, self.port)]))
        ready = asyncio.create_task(self._server.ready.wait())
        done, _ = await asyncio.wait({self._task, ready}, timeout=_START_SECONDS, return_when="FIRST_COMPLETED")
        if ready not in done:
            ready.cancel()
            raise RuntimeError(f"The server on {self.base_url} did not start.")

    def refuse(self) -> None:
        """Closes the port and every connection: whoever connects is refused, until ``accept``."""
        if self._server is not None:
            for server in self._server.servers:
                server.close()
            self.cut_all()

    async def accept(self) -> None:
        """Opens the port again; does nothing if it is open."""
        server = self._server
        if server is not None and not any(opened.is_serving() for opened in server.servers):
            await server.startup(sockets=[_bound(self._host, self.port)])

    def cut(self, client: tuple[str, int]) -> None:
        """Closes a client's connection at once; what was not sent yet is lost."""
        for transport in self._transports(client):
            transport.abort()

    def hang_up(self, client: tuple[str, int]) -> None:
        """Closes a client's connection after what was written so far has been sent."""
        for transport in self._transports(client):
            transport.close()

    def cut_all(self) -> None:
        for transport in self._transports(None):
            transport.abort()

    async def stop(self) -> None:
        """Closes everything; requests that are being answered are cut off."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            self.cut_all()
            await self._task
        self.release()

    def release(self) -> None:
        """Gives the port back."""
        self._holder.close()

    def _transports(self, client: tuple[str, int] | None) -> list[asyncio.Transport]:
        if self._server is None:
            return []
        open_ones: list[Any] = list(self._server.server_state.connections)
        return [each.transport for each in open_ones if client is None or each.client == client]


def _bound(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet; several may share a port until one listens."""
    # asyncio only turns off Nagle's algorithm for sockets that name their protocol; without that every answer whose
    # body is written apart from its head waits 40 ms for an acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise PortTaken(host, port) from error
    bound.setblocking(False)
    return bound
