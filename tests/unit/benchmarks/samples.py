"""Cases that measure nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from benchmarks.bench import Bench
from benchmarks.case import Case, Kind, Round, Row

RATE = Row("echo/64", "calls, 64 callers", "a bare echo", Kind.RATE, "calls/s", 0.5, curve="one user", at=64)
TIME = Row("start/empty", "start", "the same, empty", Kind.TIME, "s", 1.5)
SHOWN = Row("echo/1", "calls, 1 caller", "a bare echo", Kind.RATE, "calls/s", curve="one user", at=1)


def yielding(*rounds: Round) -> Callable[[Bench], AsyncIterator[Round]]:
    async def measure(bench: Bench) -> AsyncIterator[Round]:
        for each in rounds:
            yield each

    return measure


def case(name: str, rows: Sequence[Row], *rounds: Round, by_name_only: bool = False) -> Case:
    return Case(name, rows, yielding(*rounds), axis="callers", by_name_only=by_name_only)
