"""The bare ``grpc.aio`` server that Triptych's API is measured against.

    python -m benchmarks.echo ANSWERS [--building]

It answers every method with bytes that were recorded from the real service, so answers have the real sizes, and
callers do exactly the same work in both cases. Nothing is parsed and nothing is built: its handlers are generic,
without request deserialiser and response serialiser, without interceptors and without a database. It has the real
server's channel options and event loop (uvloop). What it takes is what ``grpc.aio`` itself takes in Python; no
service built on it can be faster.

``ANSWERS`` is a file of what ``record`` and ``record_stream`` gave. A stream sends all its messages for each call, in
the batches in which the service sent them. With ``--building`` streams are built instead: the server keeps the values
of the recorded messages as Python objects, and for each call makes the typed messages of them and serialises these.
Once it listens, a line of JSON on standard output tells the address.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import msgspec
import uvloop
from google.protobuf.message import Message
from grpc.aio import ServicerContext
from triptych.v1 import gallery_service_pb2, history_service_pb2

from demo.processes import running
from service.api.server import CHANNEL_OPTIONS

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # Subscriptable for type checkers only.
Call = ServicerContext[Any, Any]
GRACE_SECONDS = 1.0
STREAMED: Mapping[str, type[Message]] = {
    "/triptych.v1.GalleryService/StreamItems": gallery_service_pb2.StreamItemsResponse,
    "/triptych.v1.HistoryService/ReplayEvents": history_service_pb2.ReplayEventsResponse,
}


class Recorded(msgspec.Struct, frozen=True):
    """The answer to a call: one message, or those of a stream."""

    messages: list[bytes]
    streamed: bool = False


async def record(channel: grpc.aio.Channel, method: str, request: Message) -> Recorded:
    """What a method answers; ``method`` is a full name such as ``/triptych.v1.CreditService/GetAccount``."""
    call: Any = channel.unary_unary(method)
    return Recorded([await call(request.SerializeToString())])


async def record_stream(channel: grpc.aio.Channel, method: str, request: Message) -> Recorded:
    """What a method streams. All of it is held in memory."""
    call: Any = channel.unary_stream(method)
    return Recorded([message async for message in call(request.SerializeToString())], streamed=True)


@contextmanager
def running_echo(answers: Mapping[str, Recorded], folder: Path, *, building: bool = False) -> Iterator[str]:
    """A process that answers methods, by their full names, with these; its address."""
    file = folder / "answers"
    file.write_bytes(msgspec.msgpack.encode(answers))
    arguments = [str(file), *(["--building"] if building else [])]
    with running("benchmarks.echo", arguments, environment={}, log_file=folder / "echo.log") as part:
        yield part.ready["address"]


class _Echo(grpc.GenericRpcHandler):
    def __init__(self, answers: Mapping[str, Recorded], *, building: bool) -> None:
        self._handlers = {
            method: _builder(method, recorded) if building and recorded.streamed else _handler(recorded)
            for method, recorded in answers.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        return self._handlers.get(handler_call_details.method)


def _handler(recorded: Recorded) -> Handler:
    messages = recorded.messages

    async def answer(_request: bytes, _context: Call) -> bytes:
        return messages[0]

    async def stream(_request: bytes, _context: Call) -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    if recorded.streamed:
        return _streaming(stream)
    return _answering(answer)


def _answering(behavior: Any) -> Handler:
    return grpc.unary_unary_rpc_method_handler(behavior)


def _streaming(behavior: Any, serializer: Any = None) -> Handler:
    return grpc.unary_stream_rpc_method_handler(behavior, response_serializer=serializer)


def _builder(method: str, recorded: Recorded) -> Handler:
    message_type = STREAMED[method]
    values = [_values(message_type.FromString(message)) for message in recorded.messages]

    async def stream(_request: bytes, _context: Call) -> AsyncIterator[Message]:
        for each in values:
            yield message_type(**each)

    return _streaming(stream, message_type.SerializeToString)


def _values(message: Message) -> dict[str, Any]:
    """A message's fields that are set, nested ones too, as its constructor takes them."""
    return {
        field.name: [_value(each) for each in value] if field.is_repeated else _value(value)
        for field, value in message.ListFields()
    }


def _value(value: Any) -> Any:
    return _values(value) if isinstance(value, Message) else value


async def serve(answers: Mapping[str, Recorded], *, building: bool) -> None:
    """Until SIGTERM."""
    server = grpc.aio.server(handlers=[_Echo(answers, building=building)], options=CHANNEL_OPTIONS)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    print(json.dumps({"address": f"127.0.0.1:{port}"}), flush=True)
    await stopping.wait()
    await server.stop(GRACE_SECONDS)


if __name__ == "__main__":
    recorded_answers = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=dict[str, Recorded])
    uvloop.run(serve(recorded_answers, building="--building" in sys.argv))
