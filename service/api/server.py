"""The gRPC server: services, health, reflection, interceptors and limits.

With no tokens anybody who reaches the port may spend credits, so without them the server listens on loopback only
and refuses any other address. Every limit is written out, because the library's defaults are meant for other uses.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from triptych.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    credit_service_pb2,
    credit_service_pb2_grpc,
    gallery_service_pb2,
    gallery_service_pb2_grpc,
    generation_service_pb2,
    generation_service_pb2_grpc,
    history_service_pb2,
    history_service_pb2_grpc,
)

from service.api.admin_service import AdminServicer
from service.api.auth import CallerInterceptor, Tokens
from service.api.credit_service import CreditServicer
from service.api.dependencies import Core
from service.api.error_interceptor import ErrorInterceptor
from service.api.gallery_service import GalleryServicer
from service.api.generation_service import GenerationServicer
from service.api.history_service import HistoryServicer

log = structlog.get_logger(__name__)

SERVICE_NAMES: tuple[str, ...] = tuple(
    service.full_name
    for module in (
        generation_service_pb2,
        credit_service_pb2,
        gallery_service_pb2,
        history_service_pb2,
        admin_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)

MAX_REQUEST_BYTES = 4 * 2**20
MAX_RESPONSE_BYTES = 32 * 2**20
GRACE_SECONDS = 5.0
"""How long calls may take to finish when the server stops."""
MAX_CONCURRENT_CALLS = 10_000
"""Further ones are answered with RESOURCE_EXHAUSTED at once."""

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    # Calls that come faster than Python takes them on. From a thousand of them on, the library's default cancels some
    # at random: after a restart, when thousands of watchers come back in one moment, many would not get through.
    ("grpc.server.max_pending_requests", MAX_CONCURRENT_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", MAX_CONCURRENT_CALLS),
    # Finds out within 80 seconds that a watcher's machine is gone, and lets clients do the same.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 3),
)


class CannotListen(Exception):
    """The server cannot listen there; the message says why, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """``tokens`` maps names to tokens. The TLS certificate chain and key are PEM; both or neither."""

    host: str = "127.0.0.1"
    port: int = 50051
    """0 takes a free one."""
    shared_port: bool = False
    """Whether other servers of this user may listen on the port, too: the kernel then spreads connections over them.
    Otherwise a second one is refused, instead of getting half of the calls."""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls_certificate: bytes | None = None
    tls_key: bytes | None = field(default=None, repr=False)


class ApiServer:
    """Built by ``build_server``; ``start`` once, ``stop`` once."""

    def __init__(self, core: Core, options: ServerOptions) -> None:
        self._options = options
        # Of this server only: another one on the same core goes on.
        self._stopping = asyncio.Event()
        core = replace(core, stopping=self._stopping)
        self._health = health_aio.HealthServicer()
        self._server = grpc.aio.server(
            interceptors=(ErrorInterceptor(), CallerInterceptor(Tokens(options.tokens))),
            options=(*CHANNEL_OPTIONS, ("grpc.so_reuseport", int(options.shared_port))),
            maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS,
        )
        generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(GenerationServicer(core), self._server)
        credit_service_pb2_grpc.add_CreditServiceServicer_to_server(CreditServicer(core), self._server)
        gallery_service_pb2_grpc.add_GalleryServiceServicer_to_server(GalleryServicer(core), self._server)
        history_service_pb2_grpc.add_HistoryServiceServicer_to_server(HistoryServicer(core), self._server)
        admin_service_pb2_grpc.add_AdminServiceServicer_to_server(AdminServicer(core), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*SERVICE_NAMES, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), self._server)
        self.port = 0

    @property
    def address(self) -> str:
        """``host:port``, once it listens."""
        return target(self._options.host, self.port)

    async def start(self) -> int:
        """Listens, and returns the port. Raises CannotListen."""
        wanted = target(self._options.host, self._options.port)
        try:
            if self._options.tls_key is None or self._options.tls_certificate is None:
                self.port = self._server.add_insecure_port(wanted)
            else:
                pair = (self._options.tls_key, self._options.tls_certificate)
                self.port = self._server.add_secure_port(wanted, grpc.ssl_server_credentials([pair]))
        except RuntimeError as error:
            raise CannotListen(
                f"cannot listen on {wanted}: the port is taken, the address is not this machine's, or the "
                f"certificate and key are no pair ({str(error).partition(';')[0]})"
            ) from error
        for name in SERVICE_NAMES:
            await self.set_serving(name, True)
        await self._server.start()
        log.info("api_listening", address=self.address, tls=self._options.tls_key is not None)
        return self.port

    async def set_serving(self, service: str, serving: bool) -> None:
        """What the health check says of a service; the empty name stands for the server as a whole."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._health.set(service, status)

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Tells health checks, then takes no more calls, ends the streams, which are to resume elsewhere, and gives
        the calls that run some time to finish; what is left then is cut off."""
        await self._health.enter_graceful_shutdown()
        self._stopping.set()
        await self._server.stop(grace_seconds)

    async def wait_stopped(self) -> None:
        """Until it has stopped."""
        await self._server.wait_for_termination()


def build_server(core: Core, options: ServerOptions) -> ApiServer:
    """A server that has not started yet. Raises CannotListen for an address that would not be safe."""
    if not options.tokens and not is_loopback(options.host):
        raise CannotListen(
            f"without tokens the API listens on loopback only, and {options.host!r} is not: set "
            "TRIPTYCH_API_TOKENS, or TRIPTYCH_API_HOST=127.0.0.1"
        )
    if options.tokens and options.tls_key is None and not is_loopback(options.host):
        log.warning("api_tokens_without_tls", host=options.host)
    return ApiServer(core, options)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def target(host: str, port: int) -> str:
    """``host:port`` as gRPC takes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
