"""Reaching KurrentDB: its connection string, its version, and its errors in the port's words.

The connection string is KurrentDB's own (``kurrentdb://``, ``kurrentdb+discover://`` and the older ``esdb://``
spellings), with TLS, credentials and certificates in it. Bounds that it leaves open are filled in here: without a
deadline a call to a node that went silent would wait for ever, and without keep-alive pings a subscription would.

The client reconnects by itself: it finds the new leader, replaces a broken channel, and repeats a call a bounded
number of times. What is still an error then becomes EventStoreUnavailable here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit
from uuid import UUID

import grpc.aio
from kurrentdbclient import AsyncKurrentDBClient
from kurrentdbclient.exceptions import KurrentDBClientError

from service.adapters.eventstore.kurrentdb_features import APPEND_SESSION, ServerFeatures, parse_features
from service.ports.event_store import EventStoreUnavailable

OLDEST_VERSION = "25.1"
CALL_TIMEOUT_SECONDS = 15.0

_DEFAULTS = {
    "ConnectionName": "triptych",
    # A peer that vanished is noticed in about 20 s, as with PostgreSQL.
    "KeepAliveInterval": "10000",
    "KeepAliveTimeout": "10000",
    "MaxDiscoverAttempts": "5",
}
_FEATURES_METHOD = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods"


class ServerTooOld(Exception):
    """The server lacks what we need of it. ``version`` is what it says of itself, or empty."""

    def __init__(self, version: str) -> None:
        what = f"KurrentDB {version}" if version else "a KurrentDB that does not tell its version"
        super().__init__(
            f"the event store is {what}; it must be {OLDEST_VERSION} or newer, because credits and their reasons are "
            "written to several streams in one append"
        )
        self.version = version


def bounded_uri(uri: str) -> str:
    """``uri`` with our bounds where it sets none itself."""
    parts = urlsplit(uri)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    known = {name.lower() for name in given}
    added = {name: value for name, value in _DEFAULTS.items() if name.lower() not in known}
    return urlunsplit(parts._replace(query=urlencode({**given, **added}, safe="/:")))


class _Client(AsyncKurrentDBClient):
    """The client, with two differences."""

    _ended = False

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
        self._ended = True
        await super().close()

    def _refuse_if_ended(self) -> None:
        if self._ended:
            raise EventStoreUnavailable("the event store is closed")


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[AsyncKurrentDBClient]:
    """The client, connected to a server that is new enough. Raises EventStoreUnavailable, ServerTooOld."""
    with told_as_unavailable("KurrentDB cannot be reached"):
        client = _Client(bounded_uri(uri))
        await client.connect()
    try:
        features = await read_features(client)
        if not features.supports(*APPEND_SESSION):
            raise ServerTooOld(features.version)
        yield client
    finally:
        with told_as_unavailable("KurrentDB's connection cannot be closed"):
            await client.close()


async def read_features(client: AsyncKurrentDBClient) -> ServerFeatures:
    """What the server says of itself. Raises EventStoreUnavailable."""
    with told_as_unavailable("KurrentDB cannot be reached"):
        async with _channel(client) as channel:
            call = channel.unary_unary(
                _FEATURES_METHOD,
                request_serializer=bytes,
                response_deserializer=parse_features,
            )
            features: ServerFeatures = await call(
                b"",  # an empty message
                timeout=CALL_TIMEOUT_SECONDS,
                credentials=client.construct_call_credentials(
                    client.connection_spec.username, client.connection_spec.password
                ),
                wait_for_ready=False,
            )
            return features


def _channel(client: AsyncKurrentDBClient) -> grpc.aio.Channel:
    """A channel of our own to the client's server, for the one service that the client does not know."""
    if not client.connection_spec.options.tls:
        return grpc.aio.insecure_channel(client.connection_target, client.grpc_options)
    credentials = grpc.ssl_channel_credentials(client.root_certificates, client.private_key, client.certificate_chain)
    return grpc.aio.secure_channel(client.connection_target, credentials, client.grpc_options)


@contextmanager
def told_as_unavailable(what: str) -> Iterator[None]:
    """Whatever the client, its transport or a time limit raise becomes EventStoreUnavailable."""
    try:
        yield
    except (KurrentDBClientError, grpc.RpcError, grpc.aio.UsageError, OSError) as error:
        raise EventStoreUnavailable(f"{what}: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """The error in one line, without what the transport adds for its own developers."""
    details: Any = getattr(error, "details", None)
    said = details() if callable(details) else str(error)
    return " ".join(str(said).split())[:500] or type(error).__name__
