"""``python -m tools.scaling``: what so many users come to, in events, storage, processes, cost; see docs/scaling.md.

Everything is arithmetic over the assumptions below, each of which is an option: ``--generations-a-day 0.5``. What was
measured is said to be; the rest is a guess to be replaced by your own numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields

USERS = (10_000, 1_000_000, 100_000_000)
DAY_SECONDS = 86_400
DAYS_A_YEAR, DAYS_A_MONTH = 365, 30


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Sizes in bytes, money in dollars. ``meaning`` of each stands in MEANINGS."""

    generations_a_day: float = 0.3
    events_a_generation: float = 9.4
    outputs_a_generation: float = 1.64
    event_bytes: float = 7_450 / 9.4
    read_model_bytes: float = 5_400
    media_bytes: float = 2_000_000
    peak_factor: float = 5.0
    queries_a_generation: float = 30.0
    vendor_seconds: float = 15.0
    in_hand: float = 32.0
    api_calls_a_second: float = 300.0
    vendor_dollars: float = 0.04
    storage_dollars: float = 0.115
    media_dollars: float = 0.023
    core_dollars: float = 30.0


MEANINGS = {
    "generations_a_day": "generations a user and day: one user in ten asks for three",
    "events_a_generation": "events a generation (measured: a seeded log of 200,000)",
    "outputs_a_generation": "pictures or videos a generation (the same log)",
    "event_bytes": "bytes an event in PostgreSQL with its indexes (the same log)",
    "read_model_bytes": "bytes of read models a generation with their indexes (the same log)",
    "media_bytes": "bytes an output with its thumbnail, videos among them",
    "peak_factor": "the busiest minute over the mean",
    "queries_a_generation": "calls of clients a generation: pages, thumbnails' addresses, balances",
    "vendor_seconds": "seconds a generation is in a worker's hand",
    "in_hand": "generations that a worker has in hand (TRIPTYCH_WORKER_CONCURRENCY)",
    "api_calls_a_second": "calls a second that one API process is planned for",
    "vendor_dollars": "what the vendor takes for an output",
    "storage_dollars": "a GB of database storage, a month",
    "media_dollars": "a GB of object storage, a month",
    "core_dollars": "a core with 4 GiB, a month",
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a number of users comes to. ``a_second`` are at the peak."""

    users: int
    generations_a_day: float
    events_a_day: float
    generations_a_second: float
    events_a_second: float
    calls_a_second: float
    api_processes: int
    workers: int
    events_gb_a_year: float
    read_models_gb_a_year: float
    media_gb_a_year: float
    vendor_dollars_a_month: float
    own_dollars_a_month: float


def size(users: int, given: Assumptions) -> Size:
    """The formulas that docs/scaling.md shows."""
    a_day = users * given.generations_a_day
    a_second = a_day / DAY_SECONDS * given.peak_factor
    calls = a_second * (1 + given.queries_a_generation)
    api_processes = _at_least(2, calls / given.api_calls_a_second)
    workers = _at_least(2, a_second * given.vendor_seconds / given.in_hand)
    a_year = a_day * DAYS_A_YEAR / 1e9
    events_gb = a_year * given.events_a_generation * given.event_bytes
    read_models_gb = a_year * given.read_model_bytes
    media_gb = a_year * given.outputs_a_generation * given.media_bytes
    # Two projectors, and for each database what it needs to be two: a rough share of the rest.
    cores = api_processes + workers / 2 + 2 + 4
    return Size(
        users=users,
        generations_a_day=a_day,
        events_a_day=a_day * given.events_a_generation,
        generations_a_second=a_second,
        events_a_second=a_second * given.events_a_generation,
        calls_a_second=calls,
        api_processes=api_processes,
        workers=workers,
        events_gb_a_year=events_gb,
        read_models_gb_a_year=read_models_gb,
        media_gb_a_year=media_gb,
        vendor_dollars_a_month=a_day * DAYS_A_MONTH * given.outputs_a_generation * given.vendor_dollars,
        own_dollars_a_month=cores * given.core_dollars
        + (events_gb + read_models_gb) * given.storage_dollars
        + media_gb * given.media_dollars,
    )


def _at_least(least: int, wanted: float) -> int:
    return max(least, -int(-wanted // 1))


ROWS = (
    ("generations a day", "generations_a_day"),
    ("events a day", "events_a_day"),
    ("generations a second, at the peak", "generations_a_second"),
    ("events a second, at the peak", "events_a_second"),
    ("calls of the API a second, at the peak", "calls_a_second"),
    ("API processes", "api_processes"),
    ("workers", "workers"),
    ("events, GB a year", "events_gb_a_year"),
    ("read models, GB a year", "read_models_gb_a_year"),
    ("files, GB a year", "media_gb_a_year"),
    ("the vendor, $ a month", "vendor_dollars_a_month"),
    ("our machines and storage after a year, $ a month", "own_dollars_a_month"),
)


def table(given: Assumptions, users: Sequence[int] = USERS) -> str:
    """The table in Markdown."""
    sizes = [size(each, given) for each in users]
    lines = [f"| | {' | '.join(f'{each:,} users' for each in users)} |", "| --- |" + " ---: |" * len(sizes)]
    lines += [f"| {name} | {' | '.join(_number(getattr(each, key)) for each in sizes)} |" for name, key in ROWS]
    return "\n".join(lines) + "\n"


def assumptions_table(given: Assumptions) -> str:
    """What the other table is made of."""
    lines = ["| assumption | value | what |", "| --- | ---: | --- |"]
    lines += [
        f"| `{each.name}` | {_given(getattr(given, each.name))} | {MEANINGS[each.name]} |" for each in fields(given)
    ]
    return "\n".join(lines) + "\n"


def _given(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:g}"


def _number(value: float) -> str:
    if value >= 100:
        digits = len(str(int(value)))
        return f"{round(value, 2 - digits):,.0f}"
    return f"{value:.2g}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.scaling", description="What so many users come to.")
    parser.add_argument("--users", type=int, nargs="+", default=list(USERS), help="how many users")
    for each in fields(Assumptions):
        option = f"--{each.name.replace('_', '-')}"
        parser.add_argument(option, type=float, default=each.default, help=f"{MEANINGS[each.name]} (%(default).4g)")
    chosen = vars(parser.parse_args())
    users = chosen.pop("users")
    given = Assumptions(**chosen)
    sys.stdout.write(f"{assumptions_table(given)}\n{table(given, users)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
