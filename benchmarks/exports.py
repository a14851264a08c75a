"""How fast history is taken away and asked, against reading the same rows with plain psycopg in the same run.

    python -m benchmarks.exports --folder DIR [--rounds 3]

``DIR`` is a data folder that ``triptychd seed`` has filled. Every command is a process of its own, as an analyst runs
it; its peak of memory is what the kernel says of it. Right before each, psycopg reads the whole log, and the medians
of the ratios are what counts: on a shared machine absolute figures say little.
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
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.history import PARSED, as_url, peak_mebibytes, plain
from demo.processes import running
from service.adapters.embedded import EmbeddedPostgres

QUERY = (
    "select model, count(*), quantile_cont(date_diff('millisecond', requested, ended), 0.95) "
    "from generations where state = 'succeeded' group by 1"
)
PROJECTION = """
class Count:
    count = 0
    def apply(self, event):
        self.count += 1
    def result(self):
        return self.count
"""
CONSOLE = Console()


class Measured(NamedTuple):
    seconds: float
    ratio: float
    """Times as long as psycopg right before."""
    mebibytes: float


COMMANDS = {
    "export (Parquet)": ["export", "parquet-{round}"],
    "export (CSV)": ["export", "csv-{round}", "--format", "csv"],
    "export (JSON Lines)": ["export", "jsonl-{round}", "--format", "jsonl"],
    "export again, nothing new": ["export", "parquet-{round}"],
    "project, a class that counts": ["project", "counting.py:Count"],
    "sql over the Parquet export": ["sql", QUERY, "--over", "parquet-{round}"],
    "sql over the CSV export": ["sql", QUERY, "--over", "csv-{round}"],
    "sql straight over a replay": ["sql", QUERY],
    "plot, all four, into a file": ["plot", "--out", "plot.png"],
    "simulate": ["simulate", "--refund-rule", "none"],
}


def measure(address: str, conninfo: str, arguments: list[str], folder: Path) -> Measured:
    """One run of ``triptych history``."""
    command = [sys.executable, "-m", "clients.cli", "history", *arguments, "--json"]
    environment = {**os.environ, "TRIPTYCH_SERVER": address, "PYTHONPATH": os.getcwd()}
    base_seconds = plain(conninfo, PARSED)
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    seconds = time.perf_counter() - started
    return Measured(seconds, seconds / base_seconds, usage.ru_maxrss / 1024)


def measure_all(address: str, conninfo: str, folder: Path, rounds: int) -> dict[str, list[Measured]]:
    (folder / "counting.py").write_text(PROJECTION)
    found: dict[str, list[Measured]] = {name: [] for name in COMMANDS}
    for number in range(rounds):
        for name, arguments in COMMANDS.items():
            typed = [each.format(round=number) for each in arguments]
            found[name].append(measure(address, conninfo, typed, folder))
            CONSOLE.print(f"{name}: {found[name][-1]}", style="dim")
    return found


def show(found: dict[str, list[Measured]]) -> None:
    table = Table("what", "seconds", "times as long as psycopg", "peak MiB")
    for name, measured in found.items():
        seconds = statistics.median(each.seconds for each in measured)
        ratio = statistics.median(each.ratio for each in measured)
        peak = max(each.mebibytes for each in measured)
        table.add_row(name, f"{seconds:.1f}", f"{ratio:.2f}", f"{peak:.0f}")
    CONSOLE.print(table)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    async with EmbeddedPostgres(arguments.folder) as server:
        environment = {
            "TRIPTYCH_DATA_DIR": str(arguments.folder),
            "TRIPTYCH_EVENT_STORE": as_url(server.conninfo),
            "TRIPTYCH_API_PORT": "0",
        }
        log_file = arguments.folder / "api.log"
        with (
            tempfile.TemporaryDirectory(prefix="triptych-bench-") as folder,
            running(
                "service", ["serve", "--roles", "api", "--json"], environment=environment, log_file=log_file
            ) as api,
        ):
            found = await asyncio.to_thread(
                measure_all, api.ready["api"], server.conninfo, Path(folder), arguments.rounds
            )
            CONSOLE.print(f"server: {peak_mebibytes(api):.0f} MiB at its peak")
    show(found)


if __name__ == "__main__":
    asyncio.run(main())
