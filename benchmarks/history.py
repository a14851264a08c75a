"""How fast history is read and rebuilt, against reading the same rows with plain psycopg in the same run.

    python -m benchmarks.history [--events 1000000] [--rounds 3] [--folder DIR]

Seeds a log (``triptychd seed``) in an embedded PostgreSQL, unless ``--folder`` names one from an earlier run. Then:

- replay: a client of ``ReplayEvents`` reads the whole log from a server process, typed, into Python objects;
- psycopg: one connection reads all columns of the same rows through a server-side cursor, documents parsed into
  dicts as psycopg does by default; and, for less than a reader needs, documents left as text;
- rebuild: a projector process builds all read models from nothing.

Rounds are interleaved and the medians' ratios are what counts: on a shared machine absolute figures say little.
Memory is the process's peak (VmHWM).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote, urlencode

import grpc
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.table import Table
from triptych.v1 import history_service_pb2 as pb
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from demo.processes import Part, running
from service.adapters.embedded import EmbeddedPostgres
from service.adapters.postgres.migrations import migrate

PARSED: LiteralString = "SELECT * FROM triptych.events ORDER BY position"
AS_TEXT: LiteralString = (
    "SELECT position, stream, version, event_id, type, data::text, metadata::text, recorded_at"
    " FROM triptych.events ORDER BY position"
)
BATCH = 1000
POLL_SECONDS = 0.5
MOST_BUILD_SECONDS = 3600.0
CONSOLE = Console()


def as_url(conninfo: str) -> str:
    parameters = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    return f"postgresql:///{quote(parameters.pop('dbname'))}?{urlencode(parameters)}"


def peak_mebibytes(part: Part) -> float:
    status = Path(f"/proc/{part.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) / 1024


async def replay(address: str) -> tuple[int, float]:
    """(events, seconds) of a whole replay."""
    started, count = time.perf_counter(), 0
    async with grpc.aio.insecure_channel(address) as channel:
        request = pb.ReplayEventsRequest(batch_size=BATCH)
        async for answer in HistoryServiceStub(channel).ReplayEvents(request):
            count += len(answer.events)
    return count, time.perf_counter() - started


def plain(conninfo: str, query: LiteralString) -> float:
    """Seconds that plain psycopg takes for the whole log."""
    started = time.perf_counter()
    with psycopg.connect(conninfo) as connection, connection.cursor("rows") as rows:
        rows.itersize = BATCH
        rows.execute(query)
        for _ in rows:
            pass
    return time.perf_counter() - started


async def rebuild(conninfo: str, environment: dict[str, str], folder: Path) -> tuple[float, float]:
    """(seconds, peak MiB) of building all read models from nothing."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        builds = connection.execute("SELECT schema_name FROM read.projections").fetchall()
        for (schema,) in [("read",), *builds]:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        connection.execute("DELETE FROM triptych.schema_migrations WHERE name LIKE 'read_models/%'")
        await migrate(conninfo, "read_models")
        started = time.perf_counter()
        arguments, log_file = ["serve", "--roles", "projector", "--json"], folder / "projector.log"
        with running("service", arguments, environment=environment, log_file=log_file) as projector:
            while not _built(connection):
                if time.perf_counter() - started > MOST_BUILD_SECONDS:
                    raise TimeoutError("the read models were not built in time")
                await asyncio.sleep(POLL_SECONDS)
            return time.perf_counter() - started, peak_mebibytes(projector)


def _built(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT bool_and(live AND position >= (SELECT max(position) FROM triptych.events)) FROM read.projections"
    ).fetchone()
    return bool(row and row[0])


async def run(conninfo: str, folder: Path, rounds: int) -> None:
    environment = {
        "TRIPTYCH_DATA_DIR": str(folder),
        "TRIPTYCH_EVENT_STORE": as_url(conninfo),
        "TRIPTYCH_API_PORT": "0",
    }
    figures: dict[str, list[float]] = {
        "psycopg, documents as text": [],
        "psycopg, documents parsed": [],
        "replay": [],
    }
    await migrate(conninfo, "read_models")
    log_file = folder / "api.log"
    with running("service", ["serve", "--roles", "api", "--json"], environment=environment, log_file=log_file) as api:
        idle_mebibytes = peak_mebibytes(api)
        for _ in range(rounds):
            figures["psycopg, documents as text"].append(await asyncio.to_thread(plain, conninfo, AS_TEXT))
            figures["psycopg, documents parsed"].append(await asyncio.to_thread(plain, conninfo, PARSED))
            count, seconds = await replay(api.ready["api"])
            figures["replay"].append(seconds)
        replay_mebibytes = peak_mebibytes(api)
    seconds, build_mebibytes = await rebuild(conninfo, environment, folder)
    figures["rebuild of all read models"] = [seconds]
    show(figures, count)
    CONSOLE.print(f"server: {idle_mebibytes:.0f} MiB when it started, {replay_mebibytes:.0f} MiB at its peak")
    CONSOLE.print(f"projector: {build_mebibytes:.0f} MiB at its peak")


def show(figures: dict[str, list[float]], count: int) -> None:
    base = statistics.median(figures["psycopg, documents parsed"])
    table = Table("what", "events/s", "times as long as psycopg", title=f"{count:,} events")
    for name, seconds in figures.items():
        median = statistics.median(seconds)
        table.add_row(name, f"{count / median:,.0f}", f"{median / base:.2f}")
    CONSOLE.print(table)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="a data folder that 'triptychd seed' has filled")
    arguments = parser.parse_args()
    async with AsyncExitStack() as stack:
        folder = arguments.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="triptych-bench-")))
        server = await stack.enter_async_context(EmbeddedPostgres(folder))
        if arguments.folder is None:
            await asyncio.to_thread(_seed, server.conninfo, folder, arguments.events)
        await run(server.conninfo, folder, arguments.rounds)


def _seed(conninfo: str, folder: Path, events: int) -> None:
    environment = {**os.environ, "TRIPTYCH_DATA_DIR": str(folder), "TRIPTYCH_EVENT_STORE": as_url(conninfo)}
    for command in (["migrate"], ["seed", "--events", str(events)]):
        subprocess.run([sys.executable, "-m", "service", *command], env=environment, check=True)


if __name__ == "__main__":
    asyncio.run(main())
