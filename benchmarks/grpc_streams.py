"""Long answers over gRPC, beside a bare ``grpc.aio`` server that streams the same messages in the same batches.

``StreamItems`` sends a whole gallery, ``ReplayEvents`` a whole log; a process of callers reads and counts what came,
typed. There are two bare servers, because "the same messages" may mean two things:

- *sends bytes* has the recorded messages in memory and hands them to gRPC as they are, which is a copy of memory;
- *builds messages* has their values in memory, as Python objects, and makes and serialises a message of each item, as
  a Python service has to that did not happen to have the bytes.

Neither reads anything from anywhere. The service reads from PostgreSQL, page by page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import grpc
from google.protobuf.message import Message
from triptych.v1 import gallery_service_pb2, history_service_pb2

from benchmarks.bench import Bench
from benchmarks.case import Case, Figure, Kind, Round, Rounds, Row, in_turns
from benchmarks.echo import Recorded, record_stream, running_echo
from benchmarks.galleries import fill
from benchmarks.grpc_callers import Order, calling
from benchmarks.serving import serving

USER = "user-0"
CALLERS = 2
"""So that the service reads for one while it sends to the other, as it does when it has more than one to serve."""
METHODS = {"StreamItems": ("a whole gallery", "items"), "ReplayEvents": ("a whole log", "events")}
BARE = {"sending": "a bare stream that sends bytes", "building": "a bare stream that builds messages"}


def row_of(method: str, bare: str) -> Row:
    of, things = METHODS[method]
    return Row(f"grpc-streams/{things}/{bare}", f"{method}, {of}", BARE[bare], Kind.RATE, f"{things}/s", reach=0.5)


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "streams"
    bench.tell("making a gallery to stream")
    await fill(conninfo, {USER: bench.size(full=40_000, quick=4_000)}, folder)
    async with AsyncExitStack() as stack:
        callers = await stack.enter_async_context(calling())
        service = stack.enter_context(serving("api", conninfo, folder)).ready["api"]
        recorded = await answers(service)
        bare = {
            name: stack.enter_context(running_echo(recorded, folder, building=name == "building")) for name in BARE
        }

        async def call(address: str, method: str) -> Figure:
            # At least one call each; a call takes as long as it takes.
            result = await callers.carry_out(Order(address, method, [USER], CALLERS, bench.size(full=1.0, quick=0.2)))
            return Figure(result.items / result.seconds)

        for method in METHODS:
            for name in BARE:
                ours, theirs = partial(call, service, method), partial(call, bare[name], method)
                async for each in in_turns(bench, row_of(method, name).name, ours, theirs):
                    yield each


async def answers(address: str) -> dict[str, Recorded]:
    """What the service streams to the calls that are measured."""
    requests: dict[str, Message] = {
        "/triptych.v1.GalleryService/StreamItems": gallery_service_pb2.StreamItemsRequest(user_id=USER),
        "/triptych.v1.HistoryService/ReplayEvents": history_service_pb2.ReplayEventsRequest(),
    }
    async with grpc.aio.insecure_channel(address) as channel:
        return {method: await record_stream(channel, method, request) for method, request in requests.items()}


ROWS = [row_of(method, bare) for method in METHODS for bare in BARE]
CASE = Case("grpc-streams", ROWS, measure, title="Streams over gRPC", rounds=Rounds(full=3, quick=2))
