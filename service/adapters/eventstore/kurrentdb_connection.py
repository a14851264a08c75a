"""Reaching KurrentDB: its connection string, its version, and its errors in the port's words.

The connection string is KurrentDB's own (``kurrentdb://``, ``kurrentdb+discover://`` and the older ``esdb://``
spellings), with TLS, credentials and certificates in it. Bounds that it leaves open are filled in (kurrentdb_client):
without keep-alive pings a subscription to a node that went silent would wait for ever.

The client reconnects by itself: it finds the new leader, replaces a broken channel, and repeats a call a bounded
number of times. What is still an error then becomes EventStoreUnavailable here, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import grpc.aio
from kurrentdbclient.exceptions import KurrentDBClientError

from service.adapters.eventstore.kurrentdb_client import KurrentClient
from service.adapters.eventstore.kurrentdb_features import APPEND_SESSION, ServerFeatures, parse_features
from service.ports.event_store import EventStoreUnavailable

OLDEST_VERSION = "25.1"
CALL_TIMEOUT_SECONDS = 15.0
_READ_TRIES = 3
_READ_PAUSE_SECONDS = 0.05

T = TypeVar("T")

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


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[KurrentClient]:
    """The client, connected to a server that is new enough. Raises EventStoreUnavailable, ServerTooOld."""
    with told_as_unavailable("KurrentDB cannot be reached"):
        client = KurrentClient(uri)
        await client.connect()
    try:
        features = await read_features(client)
        if not features.supports(*APPEND_SESSION):
            raise ServerTooOld(features.version)
        yield client
    finally:
        with told_as_unavailable("KurrentDB's connection cannot be closed"):
            await client.close()


async def read_features(client: KurrentClient) -> ServerFeatures:
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


def _channel(client: KurrentClient) -> grpc.aio.Channel:
    """A channel of our own to the client's server, for the one service that the client does not know."""
    if not client.connection_spec.options.tls:
        return grpc.aio.insecure_channel(client.connection_target, client.grpc_options)
    credentials = grpc.ssl_channel_credentials(client.root_certificates, client.private_key, client.certificate_chain)
    return grpc.aio.secure_channel(client.connection_target, credentials, client.grpc_options)


async def read_surely(read: Callable[[], Awaitable[T]], *, timeout_seconds: float = CALL_TIMEOUT_SECONDS + 1) -> T:
    """A read that may be repeated, a bounded number of times. Raises EventStoreUnavailable.

    The client repeats a call that could not begin; one that breaks off in the middle is ours to repeat. A call whose
    connection is replaced just as it begins would wait for ever, whatever its deadline.
    """
    for attempt in range(1, _READ_TRIES + 1):
        try:
            with told_as_unavailable("KurrentDB cannot be read"):
                async with asyncio.timeout(timeout_seconds):
                    return await read()
        except EventStoreUnavailable:
            if attempt == _READ_TRIES:
                raise
            await asyncio.sleep(_READ_PAUSE_SECONDS * 2**attempt)
    raise AssertionError("unreachable")


@contextmanager
def told_as_unavailable(what: str) -> Iterator[None]:
    """Whatever the client, its transport or a time limit raise becomes EventStoreUnavailable."""
    try:
        yield
    except (KurrentDBClientError, grpc.RpcError, grpc.aio.UsageError, OSError) as error:
        raise EventStoreUnavailable(f"{what}: {describe(error)}") from error
    except RuntimeError as error:
        # What the client makes of an append whose channel another call has replaced.
        if isinstance(error.__cause__, StopIteration):
            raise EventStoreUnavailable(f"{what}: the connection was replaced") from error
        raise


def describe(error: BaseException) -> str:
    """The error in one line, without what the transport adds for its own developers."""
    details: Any = getattr(error, "details", None)
    said = details() if callable(details) else str(error)
    return " ".join(str(said).split())[:500] or type(error).__name__
