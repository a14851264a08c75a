"""Connection strings, and what a server says of itself."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import grpc
import pytest
from kurrentdbclient.connection_spec import ConnectionSpec
from kurrentdbclient.exceptions import ServiceUnavailableError

from service.adapters.eventstore.kurrentdb_client import bounded_uri
from service.adapters.eventstore.kurrentdb_connection import ServerTooOld, told_as_unavailable
from service.adapters.eventstore.kurrentdb_features import APPEND_SESSION, parse_features
from service.ports.event_store import EventStoreUnavailable


def test_bounds_are_filled_in() -> None:
    options = ConnectionSpec(bounded_uri("kurrentdb://admin:p%40ss@a:1,b:2")).options
    assert (options.keep_alive_interval, options.keep_alive_timeout) == (10_000, 10_000)


def test_what_is_given_stays() -> None:
    uri = "kurrentdb+discover://admin:p%40ss%2F@host:2113?tls=true&keepAliveInterval=5&tlsCaFile=/etc/a%20b/ca.pem"
    bounded = bounded_uri(uri)
    spec, given = ConnectionSpec(bounded), ConnectionSpec(uri)
    assert (spec.username, spec.password, spec.targets) == (given.username, given.password, given.targets)
    assert (spec.options.keep_alive_interval, spec.options.tls_ca_file) == (5, "/etc/a b/ca.pem")
    assert "KeepAliveInterval" not in parse_qs(urlsplit(bounded).query)


def test_features_are_read_from_the_wire() -> None:
    method = bytes([10, 13]) + b"AppendSession" + bytes([18, 44]) + b"kurrentdb.protocol.v2.streams.StreamsService"
    features = parse_features(bytes([10, len(method)]) + method + bytes([18, 6]) + b"25.1.0")
    assert features.version == "25.1.0"
    assert features.supports(*APPEND_SESSION)
    assert not parse_features(b"").supports(*APPEND_SESSION)


def test_a_server_that_is_too_old_is_named_with_what_would_do() -> None:
    assert "KurrentDB 24.10.1; it must be 25.1 or newer" in str(ServerTooOld("24.10.1"))
    assert "does not tell its version" in str(ServerTooOld(""))


@pytest.mark.parametrize(
    "error",
    [
        ServiceUnavailableError("failed to connect"),
        OSError("failed to connect"),
        grpc.aio.UsageError("Channel is closed"),
    ],
)
def test_every_error_of_the_client_means_that_the_store_is_away(error: Exception) -> None:
    with (
        pytest.raises(EventStoreUnavailable, match="KurrentDB cannot be read: ") as unavailable,
        told_as_unavailable("KurrentDB cannot be read"),
    ):
        raise error
    assert unavailable.value.__cause__ is error
