"""An address that stays while what is behind it is killed and comes back on another port: a load balancer's job.

Bytes go through as they are. While nothing is behind it, a connection is taken and closed at once, which is what a
client sees of a server that went away.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

_CONNECT_TIMEOUT_SECONDS = 5.0
_CHUNK_BYTES = 65_536


class Relay:
    """``async with Relay() as relay: relay.target = "127.0.0.1:50051"``. ``address`` is where callers go."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        """Tried in this order, for each connection anew."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def target(self) -> str:
        """The first of those there are, or empty."""
        return self.targets[0] if self.targets else ""

    @target.setter
    def target(self, address: str) -> None:
        self.targets = [address] if address else []

    @property
    def address(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def cut(self) -> None:
        """Ends every connection; new ones are taken as before."""
        cut = list(self._connections)
        for task in cut:
            task.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            behind_reader, behind_writer = await _connect(self.targets)
            with contextlib.closing(behind_writer):
                both = [
                    asyncio.create_task(_pump(reader, behind_writer)),
                    asyncio.create_task(_pump(behind_reader, writer)),
                ]
                try:
                    # One side gone is the end of both: nothing that goes through here half-closes.
                    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in both:
                        task.cancel()
                    await asyncio.gather(*both, return_exceptions=True)


async def _connect(targets: list[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """To the first that takes the connection. Raises ConnectionRefusedError if none does."""
    for target in list(targets):
        host, _, port = target.rpartition(":")
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
                return await asyncio.open_connection(host, int(port))
    raise ConnectionRefusedError(f"nobody is there: {targets}")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
