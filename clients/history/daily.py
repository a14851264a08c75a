"""What plots count by day and type of generation: one query a measure, with zeros for days on which nothing was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from clients.history.sql import EventsDatabase

Measure = Literal["generations", "failures", "refunds", "credits"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
Period = Literal["day", "week", "month"]

NEEDED_EVENTS = ("CreditsDebited", "CreditsRefunded", "GenerationRequested", "GenerationFailed")
"""The types of events that all of it is counted from."""

TITLES: Mapping[Measure, str] = {
    "generations": "Generations asked for",
    "failures": "Generations that failed",
    "refunds": "Credits given back",
    "credits": "Credits taken",
}
UNITS: Mapping[Measure, str] = {
    "generations": "generations",
    "failures": "generations",
    "refunds": "credits",
    "credits": "credits",
}
_COUNTED: Mapping[Measure, tuple[str, str]] = {
    "generations": ("count(*)", "GenerationRequested"),
    "failures": ("count(*)", "GenerationFailed"),
    "refunds": ("sum(credits)::bigint", "CreditsRefunded"),
    "credits": ("sum(credits)::bigint", "CreditsDebited"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A measure over time: for each type of generation as many values as there are periods."""

    measure: Measure
    period: Period
    starts: tuple[date, ...]
    """First days of the periods (UTC), without gaps."""
    values: Mapping[str, tuple[int, ...]]

    @property
    def title(self) -> str:
        return f"{TITLES[self.measure]}, per {self.period} and type"

    @property
    def unit(self) -> str:
        return UNITS[self.measure]


def count(events: EventsDatabase, measure: Measure, period: Period = "day") -> Series:
    """A measure of all events there are. Types are in alphabetical order."""
    value, event_type = _COUNTED[measure]
    answer = events.query(
        # Every word of it is this module's own.
        f"select date_trunc('{period}', day)::date, coalesce(generation_type, 'unknown'), {value} "  # noqa: S608
        f"from events where type = '{event_type}' group by 1, 2"
    )
    found = {(start, name): int(number) for start, name, number in answer.rows}
    starts = _without_gaps([start for start, _ in found], period)
    names = sorted({name for _, name in found})
    return Series(
        measure=measure,
        period=period,
        starts=starts,
        values={name: tuple(found.get((start, name), 0) for start in starts) for name in names},
    )


def _without_gaps(starts: list[date], period: Period) -> tuple[date, ...]:
    if not starts:
        return ()
    start, last = min(starts), max(starts)
    filled = [start]
    while start < last:
        start = _next(start, period)
        filled.append(start)
    return tuple(filled)


def _next(start: date, period: Period) -> date:
    if period == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if period == "week" else 1)
