"""What the time of one ``RequestGeneration`` is made of, as the caller sees it.

    python -m benchmarks.breakdown FILE serve ...        # the service with clocks in it; the benchmark starts it

The service's own process notes the time at some places on the way of each call: ``python -m benchmarks.breakdown``
puts the clocks in and then is ``triptychd``. The callers' process measures the whole. What a stage takes is the mean
of all calls but the fastest and the slowest twentieth, and is shown as a share of the whole. The stages in order:

    gRPC      both sides' gRPC and protobuf, the way between them, and waiting for the event loop
    checks    from the handler's first line to the decision
    decide    the decision, and its events with their ids
    encode    the events as JSON
    wait      until the group commit takes the append
    commit    the transaction, from its planning to PostgreSQL's answer; of which ``fsync``, by PostgreSQL's own clock
    reply     waking the call, the state after it, the message
"""

from __future__ import annotations

import asyncio
import atexit
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import psycopg

from benchmarks.bench import Bench, environment_of
from benchmarks.case import Case, Kind, Round, Rounds, Row
from benchmarks.galleries import fill
from benchmarks.grpc_callers import Callers, Order, calling
from demo.processes import running
from service import cli
from service.adapters.eventstore import postgres_writer
from service.api.generation_service import GenerationServicer
from service.domain.generation import request as requests

CALLERS = (1, 64)
STAGES = {
    "grpc": "gRPC, in and out",
    "checks": "checks",
    "decide": "the decision and its events",
    "encode": "encoding the events",
    "wait": "waiting for the group commit",
    "commit": "the commit",
    "fsync": "of the commit: the flush to disk",
    "reply": "the reply",
}
ROWS = [
    Row(
        f"breakdown/{callers}/{stage}",
        f"RequestGeneration, {callers} caller{'s' if callers > 1 else ''}: {what}",
        "the whole call",
        Kind.TIME,
        "ms",
    )
    for callers in CALLERS
    for stage, what in STAGES.items()
]
ENTERED, DECIDING, DECIDED, ENCODING, ENCODED, TAKEN, ANSWERED, LEFT = range(8)
_FSYNCS = "SELECT sum(fsyncs), sum(fsync_time) FROM pg_stat_io WHERE object = 'wal'"

Times = list[float]
"""Of one call, by ``perf_counter``: when it was at each place."""


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "breakdown"
    users = [f"user-{number}" for number in range(max(CALLERS))]
    await fill(conninfo, dict.fromkeys(users, 0), folder)
    async with calling() as callers, await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("ALTER SYSTEM SET track_wal_io_timing = on")
        await connection.execute("SELECT pg_reload_conf()")
        for _ in range(bench.rounds):
            for count in CALLERS:
                stages = await _stages(bench, conninfo, folder, callers, connection, users[:count])
                for stage in STAGES:
                    yield Round(f"breakdown/{count}/{stage}", stages[stage], stages["whole"])
        await connection.execute("ALTER SYSTEM RESET track_wal_io_timing")
        await connection.execute("SELECT pg_reload_conf()")


async def _stages(
    bench: Bench,
    conninfo: str,
    folder: Path,
    callers: Callers,
    connection: psycopg.AsyncConnection[Any],
    users: list[str],
) -> dict[str, float]:
    """Milliseconds of each stage and of the whole, with so many callers as users."""
    file = folder / "times"
    arguments, environment = [str(file), "serve", "--roles", "api", "--json"], environment_of(folder, conninfo)
    seconds = bench.size(full=3.0, quick=0.6)
    log_file = folder / "breakdown.log"
    fsyncs, fsync_milliseconds = await _wal(connection)
    with running("benchmarks.breakdown", arguments, environment=environment, log_file=log_file) as service:
        order = Order(service.ready["api"], "RequestGeneration", users, len(users), seconds)
        result = await callers.carry_out(order)
    more_fsyncs, more_milliseconds = await _wal(connection)  # its processes tell at the latest when they end
    whole = 1000 * _mean(result.latencies_seconds)
    found = {name: 1000 * seconds for name, seconds in _means(await asyncio.to_thread(_read, file)).items()}
    return {
        **found,
        "whole": whole,
        "grpc": whole - sum(found.values()),
        "fsync": (more_milliseconds - fsync_milliseconds) / max(more_fsyncs - fsyncs, 1),
    }


async def _wal(connection: psycopg.AsyncConnection[Any]) -> tuple[int, float]:
    """How often PostgreSQL has flushed its log to disk, and for how many milliseconds."""
    row = await (await connection.execute(_FSYNCS)).fetchone()
    assert row is not None
    return int(row[0]), float(row[1])


def _read(file: Path) -> list[Times]:
    return msgspec.json.decode(file.read_bytes(), type=list[Times])


def _means(calls: list[Times]) -> dict[str, float]:
    """Seconds of each stage on the server."""
    between = {
        "checks": (ENTERED, DECIDING),
        "decide": (DECIDING, ENCODING),
        "encode": (ENCODING, ENCODED),
        "wait": (ENCODED, TAKEN),
        "commit": (TAKEN, ANSWERED),
        "reply": (ANSWERED, LEFT),
    }
    ordered = sorted(calls, key=lambda times: times[LEFT] - times[ENTERED])
    middle = ordered[len(ordered) // 20 : len(ordered) - len(ordered) // 20]
    return {name: fmean(times[to] - times[since] for times in middle) for name, (since, to) in between.items()}


def _mean(seconds: list[float]) -> float:
    ordered = sorted(seconds)
    return fmean(ordered[len(ordered) // 20 : len(ordered) - len(ordered) // 20])


class Clocks:
    """In the service's process. ``finished`` has the times of the calls, each of which is a new request."""

    def __init__(self) -> None:
        self.finished: list[Times] = []
        self._call: ContextVar[Times] = ContextVar("benchmark_call")
        self._waiting: dict[int, Times] = {}
        """By the identity of the future that an append waits for."""

    def put_in(self) -> None:
        """From now on calls are timed."""
        servicer: Any = GenerationServicer
        deciding: Any = requests
        writer: Any = postgres_writer
        handler, decide, encode = servicer.RequestGeneration, deciding.request, writer.make_pending
        write = writer.GroupCommitter._write

        async def timed_handler(*arguments: Any) -> Any:
            times = [0.0] * (LEFT + 1)
            self._call.set(times)
            times[ENTERED] = time.perf_counter()
            answer = await handler(*arguments)
            times[LEFT] = time.perf_counter()
            self.finished.append(times)
            return answer

        def timed_decide(*arguments: Any) -> Any:
            with self._around(DECIDING, DECIDED):
                return decide(*arguments)

        def timed_encode(*arguments: Any) -> Any:
            with self._around(ENCODING, ENCODED) as times:
                pending = encode(*arguments)
            if times is not None:
                self._waiting[id(pending.done)] = times
            return pending

        async def timed_write(committer: Any, batch: Any) -> None:
            taken = time.perf_counter()
            calls = [times for each in batch if (times := self._waiting.pop(id(each.done), None)) is not None]
            await write(committer, batch)
            answered = time.perf_counter()
            for times in calls:
                times[TAKEN], times[ANSWERED] = taken, answered

        servicer.RequestGeneration = timed_handler
        deciding.request = timed_decide
        writer.make_pending = timed_encode
        writer.GroupCommitter._write = timed_write

    @contextmanager
    def _around(self, before: int, after: int) -> Iterator[Times | None]:
        times = self._call.get(None)
        if times is not None:
            times[before] = time.perf_counter()
        yield times
        if times is not None:
            times[after] = time.perf_counter()


def main() -> None:
    """The service, which writes the times to a file when it has stopped."""
    clocks = Clocks()
    clocks.put_in()
    file = Path(sys.argv.pop(1))
    atexit.register(lambda: file.write_bytes(msgspec.json.encode(clocks.finished)))
    cli.main()


if __name__ == "__main__":
    main()

CASE = Case("breakdown", ROWS, measure, title="What a RequestGeneration is made of", rounds=Rounds(full=3, quick=1))
