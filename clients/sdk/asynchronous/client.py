"""The asynchronous client itself: how it is made, changed and closed."""

from __future__ import annotations

import os
from typing import Self, Unpack

from clients.sdk.asynchronous.credits import AsyncCredits
from clients.sdk.asynchronous.files import AsyncFiles
from clients.sdk.asynchronous.gallery import AsyncGallery
from clients.sdk.asynchronous.generations import AsyncGenerations
from clients.sdk.asynchronous.history import AsyncHistory
from clients.sdk.asynchronous.transport import AsyncTransport
from clients.sdk.options import ClientOptions, changed, options_from


class AsyncTriptych(AsyncGenerations, AsyncCredits, AsyncGallery, AsyncFiles, AsyncHistory):
    """A client of Triptych. Use it with ``async with``, or ``close`` it.

    ``address`` is ``host:port``, or ``https://host:port`` for TLS (``ca_file`` names certificates to trust instead of
    the usual ones); default TRIPTYCH_SERVER, else localhost:50051. ``token`` defaults to TRIPTYCH_TOKEN. Every call
    may raise TriptychError. ``docs/sdk.md`` explains the options.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        token: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._transport = AsyncTransport(options_from(address, token, ca_file, options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and every call that still runs on it."""
        await self._transport.connection.close()

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """The same client (connection, position) with other options: ``client.with_options(timeout_seconds=2)``."""
        other = object.__new__(type(self))
        transport = self._transport
        other._transport = AsyncTransport(
            changed(transport.options, options), transport.connection, transport.bookmark
        )
        return other

    @property
    def position(self) -> int:
        """The highest place in the log that an answer carried; queries include everything up to there."""
        return self._transport.bookmark.position
