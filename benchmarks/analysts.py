"""What analysts' commands cost, beside plain psycopg reading the whole log. Measured only when it is named.

    python -m benchmarks --only analysts

Every command is a process of its own against a server process, as an analyst runs it, on the seeded log; psycopg
reads the log right before each (as in ``history``). The table in docs/analysts.md is from here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from benchmarks.bench import Bench
from benchmarks.case import Case, Kind, Round, Rounds, Row
from benchmarks.history import SAME_ROWS, Stretch, history_command, peak_mebibytes, plain_seconds
from demo.processes import running

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
COMMANDS = {
    "export to Parquet": ["export", "parquet-{round}"],
    "export to CSV": ["export", "csv-{round}", "--format", "csv"],
    "export to JSON Lines": ["export", "jsonl-{round}", "--format", "jsonl"],
    "export again, nothing new": ["export", "parquet-{round}"],
    "project, a class that counts": ["project", "counting.py:Count"],
    "sql over the Parquet export": ["sql", QUERY, "--over", "parquet-{round}"],
    "sql over the CSV export": ["sql", QUERY, "--over", "csv-{round}"],
    "sql straight over a replay": ["sql", QUERY],
    "plot, all four, into a file": ["plot", "--out", "plot.png"],
    "simulate": ["simulate", "--refund-rule", "none"],
}


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).lower()


ROWS = [Row(f"analysts/{_slug(name)}", f"triptych history {name}", SAME_ROWS, Kind.TIME, "s") for name in COMMANDS]


async def measure(bench: Bench) -> AsyncIterator[Round]:
    folder = bench.folder / "analysts"
    folder.mkdir()
    (folder / "counting.py").write_text(PROJECTION)
    async with bench.history() as log:
        arguments, log_file = ["serve", "--roles", "api", "--json"], log.folder / "api.log"
        with running("service", arguments, environment=log.environment, log_file=log_file) as server:
            for number in range(bench.rounds):
                for name, command in COMMANDS.items():
                    plain = await asyncio.to_thread(plain_seconds, log.conninfo, Stretch(0, log.events))
                    typed = [each.format(round=number) for each in command]
                    client = await asyncio.to_thread(history_command, server.ready["api"], typed, folder)
                    notes = {"peak memory, MiB": client.mebibytes, "server's, MiB": peak_mebibytes(server)}
                    yield Round(f"analysts/{_slug(name)}", client.seconds, plain, notes)


CASE = Case("analysts", ROWS, measure, title="Analysts' commands", rounds=Rounds(full=3, quick=1), by_name_only=True)
