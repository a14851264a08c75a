"""What a benchmark is made of.

A case measures one or more rows. A row is one line of the result: what of ours is held against what of theirs. The
case's ``measure`` yields rounds as it goes; each is one figure of ours and one of theirs for one row, taken one right
after the other, because on a shared machine only figures of the same moment can be compared. ``in_turns`` makes such
rounds of two functions::

    async def measure(bench: Bench) -> AsyncIterator[Round]:
        conninfo = await bench.database()
        ...                                   # set up both sides, and warm both up
        async for each in in_turns(bench, "echo/64", ours, theirs):
            yield each

    ROW = Row("echo/64", "GetAccount, 64 callers", "bare echo", Kind.RATE, "calls/s", reach=0.6)
    CASE = Case("echo", [ROW], measure)     # named in benchmarks/cases.py

The ratio is always ours / theirs. Of rates more is better, so a row reaches its bound from above; of times and sizes
less is better, so it reaches it from below.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.bench import Bench


class Kind(enum.StrEnum):
    """What the figures of a row are."""

    RATE = "rates"
    TIME = "times"
    SIZE = "sizes"

    @property
    def more_is_better(self) -> bool:
        return self is Kind.RATE

    @property
    def bound(self) -> str:
        """The sign between a ratio and what it should reach."""
        return "≥" if self.more_is_better else "≤"


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    name: str
    """Unique: ``case/variant``; ``--only`` finds it by any part."""
    what: str
    against: str
    kind: Kind
    unit: str
    """Of the figures: ``events/s``, ``ms``, ``MiB``."""
    reach: float | None = None
    """The ratio to reach: at least this of rates, at most this of times and sizes. None: shown only."""
    curve: str | None = None
    """Rows with the same curve are one line of a plot."""
    at: float | None = None
    """Where on the curve's axis this row stands."""


class Figure(NamedTuple):
    """What one side of a round came to."""

    value: float
    notes: Mapping[str, float] = {}
    """Further figures to show, with their unit in the name: ``{"p99, ms": 3.1}``."""


class Round(NamedTuple):
    """One figure of ours and one of theirs, of the same moment."""

    row: str
    ours: float
    theirs: float
    notes: Mapping[str, float] = {}
    """Of ours, or about both; the medians are shown."""


class Rounds(NamedTuple):
    """How many rounds a row has, for the progress bar; ``measure`` gets them as ``bench.rounds``."""

    full: int = 5
    quick: int = 3


ROUNDS = Rounds()


@dataclass(frozen=True)
class Case:
    """Rows that are measured together."""

    name: str
    rows: Sequence[Row]
    measure: Callable[[Bench], AsyncIterator[Round]]
    title: str = ""
    """Heads its part of docs/performance.md; default: the name."""
    axis: str = ""
    """What ``Row.at`` counts: ``callers``, ``items in the gallery``."""
    rounds: Rounds = ROUNDS
    by_name_only: bool = False
    """Takes too long for every run: measured only when ``--only`` names it."""


async def in_turns(
    bench: Bench, row: str, ours: Callable[[], Awaitable[Figure]], theirs: Callable[[], Awaitable[Figure]]
) -> AsyncIterator[Round]:
    """``bench.rounds`` rounds of the two; which of them goes first alternates. Theirs' notes are marked as such."""
    for number in range(bench.rounds):
        if number % 2:
            our, their = await ours(), await theirs()
        else:
            their, our = await theirs(), await ours()
        notes = {**our.notes, **{f"{name} (theirs)": value for name, value in their.notes.items()}}
        yield Round(row, our.value, their.value, notes)
