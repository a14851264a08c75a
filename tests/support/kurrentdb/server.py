"""The server on a port of this machine, in the event loop of whoever starts it."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import grpc
import trustme
from kurrentdbclient.protos.v1 import gossip_pb2_grpc, streams_pb2_grpc
from kurrentdbclient.protos.v2.streams import streams_pb2_grpc as streams_v2_pb2_grpc

from tests.support.kurrentdb.control import control_handler
from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.log import TransactionLog
from tests.support.kurrentdb.node import GossipServicer, Node, features_handler
from tests.support.kurrentdb.streams_v1 import StreamsV1Servicer
from tests.support.kurrentdb.streams_v2 import StreamsV2Servicer

_HOST = "127.0.0.1"
MAX_CALLS_PER_CONNECTION = 100
_MAX_REQUEST_BYTES = 384 * 1024 * 1024
_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    # What its HTTP server (Kestrel) allows on one connection; a subscription takes one for as long as it lasts.
    ("grpc.max_concurrent_streams", MAX_CALLS_PER_CONNECTION),
    # KurrentDB lets its clients ping as often as they like; grpc would end their connections for it.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 1),
)


class KurrentDBServer:
    """``async with KurrentDBServer() as server: server.connection_string``.

    ``path`` keeps the log in a file; ``users`` (names and passwords) makes it ask for them, which clients only send
    over TLS, for which ``authority`` issues its certificate. ``log``: that of another server in this process, so that
    the two are nodes of one cluster.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        path: Path | None = None,
        faults: Faults | None = None,
        users: dict[str, str] | None = None,
        authority: trustme.CA | None = None,
        log: TransactionLog | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._path = path
        self._authority = authority
        self._users = users
        self._log = log
        self._owns_log = log is None
        self._held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind((_HOST, port))
        self._server: grpc.aio.Server | None = None

    @property
    def port(self) -> int:
        """Held for as long as the server object is, also while nothing listens there."""
        return int(self._held.getsockname()[1])

    @property
    def address(self) -> str:
        return f"{_HOST}:{self.port}"

    @property
    def log(self) -> TransactionLog:
        assert self._log is not None, "the server was not started"
        return self._log

    @property
    def connection_string(self) -> str:
        """Without TLS. ``secure_connection_string`` is the other."""
        return f"kurrentdb://{self.address}?tls=false"

    def secure_connection_string(self, certificate_file: Path, user: str) -> str:
        """The client takes a password as it stands there: one that would need escapes cannot be given to it."""
        assert self._users is not None
        return f"kurrentdb://{user}:{self._users[user]}@{self.address}?tlsCaFile={quote(str(certificate_file))}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        self._held.close()

    async def start(self) -> None:
        """What it lost when it was stopped: its memory of recent event ids; without a file nothing else."""
        if self._log is None:
            self._log = TransactionLog(self._path, now=self._now)
        elif self._owns_log:
            self._log.restart()
        await self._listen()

    async def stop(self) -> None:
        """At once: calls that run are cut off."""
        await self._hang_up()
        if self._owns_log and self._log is not None and self._path is not None:
            self._log.close()
            self._log = None

    async def restart(self) -> None:
        """On the same port, with what was written."""
        await self.stop()
        await self.start()

    async def drop_connections(self) -> None:
        """Every call and connection ends; new ones are taken at once. The node itself notices nothing."""
        await self._hang_up()
        await self._listen()

    def follow(self, leader: KurrentDBServer) -> None:
        """From now on this is a follower of that one, and says so to whoever wants a leader."""
        self.faults.follows = (_HOST, leader.port)

    async def _listen(self) -> None:
        node = Node(self.log, self.faults, self._users)
        node.port = self.port
        server = grpc.aio.server(options=_OPTIONS)
        streams_pb2_grpc.add_StreamsServicer_to_server(StreamsV1Servicer(node), server)  # type: ignore[no-untyped-call]
        streams_v2_pb2_grpc.add_StreamsServiceServicer_to_server(  # type: ignore[no-untyped-call]
            StreamsV2Servicer(node), server
        )
        gossip_pb2_grpc.add_GossipServicer_to_server(GossipServicer(node), server)  # type: ignore[no-untyped-call]
        server.add_generic_rpc_handlers((features_handler(node), control_handler(self.faults)))
        if self._authority is None:
            server.add_insecure_port(self.address)
        else:
            server.add_secure_port(self.address, _credentials(self._authority))
        await server.start()
        self._server = server

    async def _hang_up(self) -> None:
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)

    def _now(self) -> float:
        return time.time() + self.faults.clock_offset_seconds


def _credentials(authority: trustme.CA) -> grpc.ServerCredentials:
    certificate = authority.issue_cert(_HOST, "localhost")
    chain: Sequence[trustme.Blob] = certificate.cert_chain_pems
    return grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), b"".join(each.bytes() for each in chain))]
    )
