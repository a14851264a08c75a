"""A real gRPC server that answers each call with the next lines of a script, and both clients of it.

What the clients do when answers are lost, late or damaged cannot be had from the service on demand.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status
from triptych.v1 import (
    credit_service_pb2,
    gallery_service_pb2,
    generation_service_pb2,
    history_service_pb2,
)

from clients.sdk import AsyncTriptych, ClientOptions, RetryPolicy, Triptych

BOUND_SECONDS = 60.0
QUICK = RetryPolicy(max_attempts=4, initial_backoff_seconds=0.01, max_backoff_seconds=0.02)

_MODULES = (generation_service_pb2, credit_service_pb2, gallery_service_pb2, history_service_pb2)
_METHODS = {
    f"/{service.full_name}/{method.name}": (method, getattr(module, method.input_type.name))
    for module in _MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class Hang:
    """The server does not answer until the call is given up."""


@dataclass(frozen=True)
class Bare:
    """A status that the transport made: no details, or damaged ones."""

    code: grpc.StatusCode
    text: str = ""
    damaged: bool = False


Line: TypeAlias = "Message | Status | Bare | Hang"


def refusal(
    code: grpc.StatusCode,
    reason: str = "",
    message: str = "no",
    retry_after_seconds: float | None = None,
    field_name: str = "",
    **facts: str,
) -> Status:
    """A status as the service makes them."""
    status = Status(code=code.value[0], message=message)
    status.details.add().Pack(ErrorInfo(reason=reason, domain="triptych", metadata=facts))
    if field_name:
        violation = BadRequest.FieldViolation(field=field_name, description=message)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if retry_after_seconds is not None:
        retry = RetryInfo()
        retry.retry_delay.FromNanoseconds(int(retry_after_seconds * 1e9))
        status.details.add().Pack(retry)
    return status


@dataclass
class ScriptedServer:
    """Each call takes the next entry of ``script``, the lines it is answered with, and leaves what was sent."""

    script: list[Sequence[Line]] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def will(self, *calls: Line | Sequence[Line]) -> None:
        """What the next calls are answered with: a line, or several for a stream."""
        self.script.extend([call] if isinstance(call, Message | Bare | Hang) else call for call in calls)

    async def lines(self, requests: Any, context: Any) -> AsyncIterator[Message]:
        received = [requests] if isinstance(requests, Message) else [each async for each in requests]
        self.requests.append(received[0] if isinstance(requests, Message) else received)
        self.metadata.append(dict(context.invocation_metadata()))
        for line in self.script.pop(0):
            if isinstance(line, Status):
                await context.abort_with_status(to_status(line))
            elif isinstance(line, Bare):
                damage = (("grpc-status-details-bin", b"\xff\xff\xff"),) if line.damaged else ()
                await context.abort(line.code, line.text, damage)
            elif isinstance(line, Hang):
                await asyncio.Event().wait()
            else:
                yield line


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        found = _METHODS.get(handler_call_details.method)
        if found is None:
            return None
        method, request_kind = found
        make: Callable[..., Any]
        behaviour: Any = self._server.lines
        if method.server_streaming:
            make = grpc.unary_stream_rpc_method_handler
        else:
            make = (
                grpc.stream_unary_rpc_method_handler
                if method.client_streaming
                else grpc.unary_unary_rpc_method_handler
            )
            behaviour = self._single
        return make(
            behaviour,
            request_deserializer=request_kind.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    async def _single(self, requests: Any, context: Any) -> Any:
        return await anext(self._server.lines(requests, context))


@asynccontextmanager
async def scripted_server(tls: grpc.ServerCredentials | None = None) -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Handlers(scripted),))
    place = "127.0.0.1:0"
    port = server.add_insecure_port(place) if tls is None else server.add_secure_port(place, tls)
    scripted.address = f"127.0.0.1:{port}"
    await server.start()
    yield scripted
    await server.stop(None)


class Caller:
    """Either client, called the same way; the synchronous one in a thread."""

    def __init__(self, client: AsyncTriptych | Triptych) -> None:
        self.client = client

    async def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """The result of a method; of one that yields, all that it yielded."""
        async with asyncio.timeout(BOUND_SECONDS):
            if isinstance(self.client, Triptych):
                return await asyncio.to_thread(self._blocking, name, arguments, options)
            result = getattr(self.client, name)(*arguments, **options)
            return await result if inspect.isawaitable(result) else [each async for each in result]

    def _blocking(self, name: str, arguments: Any, options: Any) -> Any:
        result = getattr(self.client, name)(*arguments, **options)
        return list(result) if isinstance(result, Iterator) else result

    async def close(self) -> None:
        if isinstance(self.client, Triptych):
            self.client.close()
        else:
            await self.client.close()


def client_of(kind: str, address: str, *, token: str = "", ca_file: Path | None = None, **options: Any) -> Caller:
    """A client that does not dawdle."""
    given: ClientOptions = {"retry": QUICK, "resume": QUICK, "timeout_seconds": BOUND_SECONDS, **options}  # type: ignore[typeddict-item]
    client = AsyncTriptych if kind == "async" else Triptych
    return Caller(client(address, token=token, ca_file=ca_file, **given))
