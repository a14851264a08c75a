"""The client, as far as we need it to be different; and clients for subscriptions.

A connection carries a hundred calls at once (that is how many the server allows), and a subscription is a call for as
long as it lasts. So subscriptions have connections of their own, opened as they are needed, and never stand in the
way of an append.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit
from uuid import UUID

import grpc
from kurrentdbclient import AsyncKurrentDBClient

from service.ports.event_store import EventStoreUnavailable

SUBSCRIPTIONS_A_CONNECTION = 80
MOST_CONNECTIONS = 50

_DEFAULTS = {
    "ConnectionName": "triptych",
    # A peer that vanished is noticed in about 20 s, as with PostgreSQL.
    "KeepAliveInterval": "10000",
    "KeepAliveTimeout": "10000",
    "MaxDiscoverAttempts": "5",
}
# Otherwise the transport lets all channels to one server share a connection.
_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


def bounded_uri(uri: str) -> str:
    """``uri`` with our bounds where it sets none itself."""
    parts = urlsplit(uri)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    known = {name.lower() for name in given}
    added = {name: value for name, value in _DEFAULTS.items() if name.lower() not in known}
    return urlunsplit(parts._replace(query=urlencode({**given, **added}, safe="/:")))


class KurrentClient(AsyncKurrentDBClient):
    """Made with KurrentDB's connection string; connects with its first call. Raises OSError for files in the string
    that cannot be read."""

    _ended = False

    def __init__(self, uri: str) -> None:
        super().__init__(bounded_uri(uri))
        self.grpc_options += _OWN_CONNECTION

    def construct_call_credentials(self, username: str | None, password: str | None) -> grpc.CallCredentials | None:
        """Special characters of the name and the password are percent-encoded, as in every address."""
        return super().construct_call_credentials(unquote(username or ""), unquote(password or ""))

    async def connect(self) -> None:
        self._refuse_if_ended()
        await super().connect()

    async def reconnect(self, grpc_target: str | None = None, connection_id: UUID | None = None) -> None:
        self._refuse_if_ended()
        await super().reconnect(grpc_target, connection_id)

    async def close(self) -> None:
        """Calls that are still under way then end in a plain word, and not where there is no connection any more."""
        connected = self._connection is not None
        self._ended = True
        if connected:
            await super().close()

    def _refuse_if_ended(self) -> None:
        if self._ended:
            raise EventStoreUnavailable("the event store is closed")


@dataclass
class _Shared:
    client: KurrentClient
    subscriptions: int = 0


class SubscriptionClients:
    """Clients that subscriptions share, as many of them as one connection carries."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._clients: list[_Shared] = []

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[KurrentClient]:
        """One for one subscription. Raises EventStoreUnavailable when there are too many."""
        shared = next((each for each in self._clients if each.subscriptions < SUBSCRIPTIONS_A_CONNECTION), None)
        if shared is None:
            if len(self._clients) == MOST_CONNECTIONS:
                most = MOST_CONNECTIONS * SUBSCRIPTIONS_A_CONNECTION
                raise EventStoreUnavailable(f"this process has {most} subscriptions to KurrentDB, which is the most")
            shared = _Shared(KurrentClient(self._uri))
            self._clients.append(shared)
        shared.subscriptions += 1
        try:
            yield shared.client
        finally:
            shared.subscriptions -= 1

    async def close(self) -> None:
        for shared in self._clients:
            await shared.client.close()
