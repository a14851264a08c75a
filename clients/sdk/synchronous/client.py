"""The synchronous client itself: how it is made, changed and closed."""

from __future__ import annotations

import os
from typing import Self, Unpack

from clients.sdk.options import ClientOptions, changed, options_from
from clients.sdk.synchronous.credits import SyncCredits
from clients.sdk.synchronous.files import SyncFiles
from clients.sdk.synchronous.gallery import SyncGallery
from clients.sdk.synchronous.generations import SyncGenerations
from clients.sdk.synchronous.history import SyncHistory
from clients.sdk.synchronous.transport import SyncTransport


class Triptych(SyncGenerations, SyncCredits, SyncGallery, SyncFiles, SyncHistory):
    """A client of Triptych. Use it with ``with``, or ``close`` it.

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
        self._transport = SyncTransport(options_from(address, token, ca_file, options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and every call that still runs on it."""
        self._transport.connection.close()

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """The same client (connection, position) with other options: ``client.with_options(timeout_seconds=2)``."""
        other = object.__new__(type(self))
        transport = self._transport
        other._transport = SyncTransport(
            changed(transport.options, options), transport.connection, transport.bookmark
        )
        return other

    @property
    def position(self) -> int:
        """The highest place in the log that an answer carried; queries include everything up to there."""
        return self._transport.bookmark.position
