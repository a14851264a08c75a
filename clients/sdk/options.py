"""What a client is told when it is made, and the channel that comes of it."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

import grpc

from clients.sdk.errors import InvalidOption
from clients.sdk.retry import CALLS, WATCHES, RetryPolicy

DEFAULT_PORT = 50051
MAX_MESSAGE_BYTES = 32 * 2**20

_CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # A server that came back is found soon; the library would wait for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Finds out within 50 seconds that the server's machine is gone, also while a watch is silent.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A name that stands for several servers is a connection to each, and calls go to them in turn.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is: gRPC's target, and whether to speak TLS."""

    target: str
    tls: bool

    @property
    def is_loopback(self) -> bool:
        host = self.target.rsplit(":", 1)[0].strip("[]")
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> Address:
    """An address from ``host``, ``host:port``, ``https://host:port`` (TLS) or any target of gRPC. InvalidOption."""
    text = text.strip()
    if text.startswith(("http://", "https://")):
        parts = urlsplit(text)
        if not parts.netloc or parts.path.strip("/") or parts.query or parts.username:
            raise _wrong_address(text)
        tls = parts.scheme == "https"
        return Address(_with_port(parts.netloc, 443 if tls else DEFAULT_PORT), tls)
    if not text or any(character.isspace() for character in text):
        raise _wrong_address(text)
    if text.startswith(("unix:", "dns:", "ipv4:", "ipv6:")):
        return Address(text, tls=False)
    if "/" in text:
        raise _wrong_address(text)
    return Address(_with_port(text, DEFAULT_PORT), tls=False)


def _with_port(authority: str, port: int) -> str:
    if authority.count(":") > 1 and not authority.startswith("["):
        return f"[{authority}]:{port}"  # A bare IPv6 address.
    host, colon, given = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        return f"{authority}:{port}"
    if not host or not given.isdecimal() or not 0 < int(given) < 2**16:
        raise _wrong_address(authority)
    return authority


def _wrong_address(text: str) -> InvalidOption:
    return InvalidOption("address", f"must be host:port or https://host:port, not {text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a client behaves; the clients' constructors explain each."""

    address: Address
    token: str = field(default="", repr=False)
    ca_file: Path | None = None
    timeout_seconds: float = 30.0
    transfer_timeout_seconds: float = 600.0
    retry: RetryPolicy = CALLS
    resume: RetryPolicy = WATCHES
    read_your_writes: bool = True

    def __post_init__(self) -> None:
        for name in ("timeout_seconds", "transfer_timeout_seconds"):
            if not getattr(self, name) > 0:
                raise InvalidOption(name, f"must be more than 0, not {getattr(self, name):g}")
        if not all(" " < character < "\x7f" for character in self.token):
            raise InvalidOption("token", "must be printable ASCII without spaces")

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    @property
    def channel_options(self) -> tuple[tuple[str, Any], ...]:
        # A proxy that the environment names is for the world outside, not for this machine.
        return (*_CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0)) if self.address.is_loopback else _CHANNEL_OPTIONS

    def credentials(self) -> grpc.ChannelCredentials | None:
        """For TLS; None without. Raises InvalidOption for a file that cannot be read."""
        if not self.address.tls:
            return None
        if self.ca_file is None:
            return grpc.ssl_channel_credentials()
        try:
            return grpc.ssl_channel_credentials(self.ca_file.read_bytes())
        except OSError as error:
            raise InvalidOption("ca_file", f"cannot read {str(self.ca_file)!r}: {error.strerror}") from error


class ClientOptions(TypedDict, total=False):
    """How a client behaves, in what its constructor and ``with_options`` take."""

    timeout_seconds: float
    """For each call with all its attempts; default 30."""
    transfer_timeout_seconds: float
    """For each download, upload, and stream that ends by itself; default 600."""
    retry: RetryPolicy
    """How often calls are tried."""
    resume: RetryPolicy
    """How often a stream that broke is taken up again."""
    read_your_writes: bool
    """Whether queries wait for what this client has seen and done; default True."""


def options_from(
    address: str | None, token: str | None, ca_file: str | os.PathLike[str] | None, others: ClientOptions
) -> Options:
    """Options from arguments; address and token from TRIPTYCH_SERVER and TRIPTYCH_TOKEN where they are None."""
    address = os.environ.get("TRIPTYCH_SERVER") if address is None else address
    token = os.environ.get("TRIPTYCH_TOKEN", "") if token is None else token
    parsed = parse_address(address or f"localhost:{DEFAULT_PORT}")
    if ca_file is not None and not parsed.tls:
        raise InvalidOption("ca_file", "is for TLS: begin the address with https://")
    return Options(address=parsed, token=token, ca_file=None if ca_file is None else Path(ca_file), **others)


def changed(options: Options, others: ClientOptions) -> Options:
    """``options`` with others for some of them."""
    return dataclasses.replace(options, **others)
