"""``triptychd health``: asks a running process for its health, for probes of containers and for people."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from service.api.server import target
from service.cli.problems import refuse, told_plainly
from service.config import load_settings

Status = health_pb2.HealthCheckResponse.ServingStatus


def health(
    address: Annotated[
        str | None,
        typer.Option(
            help="host:port to ask. Otherwise that of TRIPTYCH_HEALTH_PORT, or of the API, on this machine."
        ),
    ] = None,
    service: Annotated[
        str, typer.Option(help="Ask for a part, such as projection.gallery or vendor.fal; otherwise for the whole.")
    ] = "",
    timeout_seconds: Annotated[
        float, typer.Option("--timeout", min=0.1, max=600, help="How long to wait for the answer, in seconds.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Ask a running process whether it serves. Exit code 0 if it does, 1 if not or if nobody answers.

    Example: triptychd health --service projection.work_list
    """
    with told_plainly():
        asked = address or _own_address()
        try:
            status = Status.Name(asyncio.run(_ask(asked, service, timeout_seconds)))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                refuse(f"--service: {asked} knows no part {service!r}")
            refuse(f"{asked} does not answer: {error.details() or error.code().name}")
    if as_json:
        sys.stdout.write(json.dumps({"address": asked, "service": service, "status": status}) + "\n")
    else:
        sys.stdout.write(f"{service or asked}: {status.lower().replace('_', ' ')}\n")
    raise typer.Exit(0 if status == "SERVING" else 1)


def _own_address() -> str:
    settings = load_settings()
    host, port = settings.health_host, settings.health_port
    if port is None:
        host, port = settings.api_host, settings.api_port
    # What listens on all addresses is asked on loopback.
    return target({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104


async def _ask(address: str, service: str, timeout_seconds: float) -> Any:
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(
            health_pb2.HealthCheckRequest(service=service), timeout=timeout_seconds, wait_for_ready=False
        )
        return answer.status
