"""The health check on a port of its own, for probes: every role has it, also those that no caller reaches.

It speaks ``grpc.health.v1`` without tokens and TLS, which orchestrators' probes have neither of, and answers from the
process's event loop, so that one which hangs is noticed. It says nothing but whether this process serves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from service.api.server import CannotListen, target

log = structlog.get_logger(__name__)

GRACE_SECONDS = 1.0


@asynccontextmanager
async def health_server(host: str, port: int) -> AsyncIterator[str]:
    """Serves the check, and yields its address ``host:port``. While it is left it says NOT_SERVING.

    Port 0 takes a free one. Raises CannotListen.
    """
    servicer = health_aio.HealthServicer()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    wanted = target(host, port)
    try:
        bound = server.add_insecure_port(wanted)
    except RuntimeError as error:
        raise CannotListen(
            f"TRIPTYCH_HEALTH_PORT: cannot listen on {wanted}: it is taken, or the address is not this machine's"
        ) from error
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    await server.start()
    address = target(host, bound)
    log.info("health_listening", address=address)
    try:
        yield address
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(GRACE_SECONDS)
