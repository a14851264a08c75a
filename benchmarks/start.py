"""Starting the service on the seeded log's data folder, beside starting it on an empty one.

Both folders have been used before and stopped in order; the read models are built. The service starts its own
PostgreSQL, and the time is from the start of the process until it has answered a query over gRPC. (Roles ``api`` and
``projector``: a worker would go on with the seeded generations, and there is no vendor here.)
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub

from benchmarks.bench import Bench
from benchmarks.case import Case, Figure, Kind, Round, Rounds, Row, in_turns
from benchmarks.catching_up import caught_up
from demo.processes import running

ROW = Row("start/1M", "start on a log of 1M events, until it serves", "the same, empty", Kind.TIME, "s", reach=1.5)
QUERY_TIMEOUT_SECONDS = 60.0


async def measure(bench: Bench) -> AsyncIterator[Round]:
    folder, empty = await bench.history_folder(), bench.folder / "empty"
    empty.mkdir()
    bench.tell("bringing the read models up to the log")
    async with bench.history() as log:
        arguments, log_file = ["serve", "--roles", "projector", "--json"], log.folder / "projector.log"
        with running("service", arguments, environment=log.environment, log_file=log_file):
            await caught_up(log.conninfo)
    await _start(empty)  # makes the database

    async def ours() -> Figure:
        return Figure(await _start(folder))

    async def theirs() -> Figure:
        return Figure(await _start(empty))

    async for each in in_turns(bench, ROW.name, ours, theirs):
        yield each


async def _start(folder: Path) -> float:
    """Seconds."""
    environment = {"TRIPTYCH_DATA_DIR": str(folder), "TRIPTYCH_API_PORT": "0"}
    arguments = ["serve", "--roles", "api,projector", "--json"]
    started = time.perf_counter()
    with running("service", arguments, environment=environment, log_file=folder / "service.log") as service:
        async with grpc.aio.insecure_channel(service.ready["api"]) as channel:
            request = pb.CountItemsRequest(user_id="anna")
            await GalleryServiceStub(channel).CountItems(request, timeout=QUERY_TIMEOUT_SECONDS)
        return time.perf_counter() - started


CASE = Case("start", [ROW], measure, title="Starting", rounds=Rounds(full=5, quick=2))
