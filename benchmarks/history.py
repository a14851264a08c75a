"""Replaying, exporting and rebuilding the seeded log, beside plain psycopg reading the same rows.

- replay: a client of ``ReplayEvents`` reads from a server process, typed, event by event;
- export: ``triptych history export`` to Parquet, a process of its own against the same server;
- rebuild: a projector process builds all read models from nothing;
- psycopg: one connection reads all columns of the same rows through a server-side cursor, documents parsed into dicts
  as psycopg does by default. It reads right before a replay or an export. Around a rebuild it reads the first half
  before and the second half after, and each is compared with the rebuild of the same half.

Replays and exports are of a fifth of the log and then of all of it. Memory is a process's peak, and is compared with
its peak after the first fifth: it should be the same. (``VmHWM``, so Linux only.)
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import LiteralString, NamedTuple

import grpc
import psycopg
from triptych.v1 import history_service_pb2 as pb
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from benchmarks.bench import Bench, History
from benchmarks.case import Case, Kind, Round, Rounds, Row
from benchmarks.catching_up import caught_up, forget_read_models
from demo.processes import Part, running

SAME_ROWS = "psycopg reads the same rows"
FIRST_FIFTH = "itself, after a fifth of the log"
FIFTH = 0.2
BATCH = 1000
ROWS = [
    Row("history/replay", "ReplayEvents over gRPC", SAME_ROWS, Kind.RATE, "events/s", 0.3),
    Row("history/replay-memory", "the server that replays, peak memory", FIRST_FIFTH, Kind.SIZE, "MiB", 1.2),
    Row("history/export", "triptych history export, Parquet", SAME_ROWS, Kind.RATE, "events/s", 0.3),
    Row("history/export-memory", "the exporting client, peak memory", FIRST_FIFTH, Kind.SIZE, "MiB", 1.2),
    Row("history/rebuild", "rebuild of all read models", SAME_ROWS, Kind.RATE, "events/s", 0.3),
    Row("history/rebuild-memory", "the projector that rebuilds, peak memory", FIRST_FIFTH, Kind.SIZE, "MiB", 1.2),
]
_PLAIN: LiteralString = "SELECT * FROM triptych.events WHERE position > %s AND position <= %s ORDER BY position"


class Stretch(NamedTuple):
    """Of the log, from after a position up to one."""

    after: int
    until: int

    @property
    def events(self) -> int:
        return self.until - self.after


async def measure(bench: Bench) -> AsyncIterator[Round]:
    async with bench.history() as log:
        fifth = int(FIFTH * log.events)
        stretches = [Stretch(0, fifth), Stretch(0, log.events)]
        arguments, log_file = ["serve", "--roles", "api", "--json"], log.folder / "api.log"
        with running("service", arguments, environment=log.environment, log_file=log_file) as server:
            async for each in _replays(log, server, stretches):
                yield each
            async for each in _exports(log, server, stretches, bench.folder):
                yield each
        bench.tell("rebuilding all read models")
        async for each in _rebuild(log):
            yield each


async def _replays(log: History, server: Part, stretches: list[Stretch]) -> AsyncIterator[Round]:
    peaks = []
    for stretch in stretches:
        plain = await _plain(log, stretch)
        yield Round("history/replay", stretch.events / await _replay(server.ready["api"], stretch), plain)
        peaks.append(peak_mebibytes(server))
    yield Round("history/replay-memory", peaks[-1], peaks[0])


async def _exports(log: History, server: Part, stretches: list[Stretch], folder: Path) -> AsyncIterator[Round]:
    peaks = []
    for number, stretch in enumerate(stretches):
        plain = await _plain(log, stretch)
        selection = ["--after", str(stretch.after), "--until", str(stretch.until)]
        client = await asyncio.to_thread(
            history_command, server.ready["api"], ["export", f"parquet-{number}", *selection], folder
        )
        peaks.append(client.mebibytes)
        yield Round("history/export", stretch.events / client.seconds, plain)
    yield Round("history/export-memory", peaks[-1], peaks[0])


async def _plain(log: History, stretch: Stretch) -> float:
    """Rows a second."""
    return stretch.events / await asyncio.to_thread(plain_seconds, log.conninfo, stretch)


def plain_seconds(conninfo: str, stretch: Stretch) -> float:
    """That psycopg takes for these rows."""
    started = time.perf_counter()
    with psycopg.connect(conninfo) as connection, connection.cursor("rows") as rows:
        rows.itersize = BATCH
        rows.execute(_PLAIN, stretch)
        for _ in rows:
            pass
    return time.perf_counter() - started


async def _replay(address: str, stretch: Stretch) -> float:
    """Seconds."""
    started, count = time.perf_counter(), 0
    request = pb.ReplayEventsRequest(after_position=stretch.after, until_position=stretch.until, batch_size=BATCH)
    async with grpc.aio.insecure_channel(address) as channel:
        async for answer in HistoryServiceStub(channel).ReplayEvents(request):
            count += len(answer.events)
    if count != stretch.events:
        raise RuntimeError(f"a replay of {stretch.events} events brought {count}")
    return time.perf_counter() - started


class Client(NamedTuple):
    """What a client process came to."""

    seconds: float
    mebibytes: float
    """Its peak."""


def history_command(address: str, arguments: list[str], folder: Path) -> Client:
    """One run of ``triptych history`` in a folder. Raises CalledProcessError."""
    command = [sys.executable, "-m", "clients.cli", "history", *arguments, "--json"]
    environment = {**os.environ, "TRIPTYCH_SERVER": address, "PYTHONPATH": os.getcwd()}
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Client(time.perf_counter() - started, usage.ru_maxrss / 1024)


async def _rebuild(log: History) -> AsyncIterator[Round]:
    first, second = Stretch(0, log.events // 2), Stretch(log.events // 2, log.events)
    before = await _plain(log, first)
    await forget_read_models(log.conninfo)
    started = time.perf_counter()
    arguments, log_file = ["serve", "--roles", "projector", "--json"], log.folder / "projector.log"
    with running("service", arguments, environment=log.environment, log_file=log_file) as projector:
        await caught_up(log.conninfo, share=FIFTH)
        after_fifth = peak_mebibytes(projector)
        await caught_up(log.conninfo, share=0.5)
        half = time.perf_counter()
        await caught_up(log.conninfo)
        seconds, mebibytes = time.perf_counter() - started, peak_mebibytes(projector)
    after = await _plain(log, second)
    yield Round("history/rebuild", first.events / (half - started), before)
    yield Round("history/rebuild", second.events / (seconds - (half - started)), after)
    yield Round("history/rebuild-memory", mebibytes, after_fifth)


def peak_mebibytes(part: Part) -> float:
    """Of a process's memory so far."""
    status = Path(f"/proc/{part.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


CASE = Case(
    "history",
    ROWS,
    measure,
    title="Replaying, exporting, rebuilding a million events",
    rounds=Rounds(full=2, quick=2),
)
