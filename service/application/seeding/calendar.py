"""When people ask: by day more than by night, at weekends more than in the week, each week more than the last."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
UTC_OFFSET_HOURS = 3
"""Where most of the users live."""
BY_HOUR = (2, 1, 1, 1, 1, 1, 2, 4, 6, 7, 8, 8, 9, 9, 8, 8, 8, 9, 11, 13, 14, 14, 10, 5)
"""Share of each local hour of a day."""
WEEKEND = 1.35
FIRST_WEEKS = 0.25
"""Use at the beginning, as a share of that in the end."""
VENDOR_TROUBLE = ((0.31, 4 * HOUR), (0.74, 2 * HOUR))
"""When the vendor had a bad day: since which share of the time, and for how long."""


def share_of(time: datetime, start: datetime, end: datetime) -> float:
    """0 at the start, 1 at the end."""
    return (time - start) / (end - start)


def in_trouble(time: datetime, start: datetime, end: datetime) -> bool:
    """Whether the vendor has a bad day."""
    return any(since <= (time - start) <= since + length for since, length in _troubles(start, end))


def _troubles(start: datetime, end: datetime) -> Iterator[tuple[timedelta, timedelta]]:
    for share, length in VENDOR_TROUBLE:
        yield (end - start) * share, length


def asking_times(chance: random.Random, start: datetime, end: datetime, count: int) -> Iterator[datetime]:
    """``count`` times in order, between start and end, more of them when more people are awake."""
    hours = max(1, int((end - start) / HOUR))
    weights = [_weight(start + number * HOUR, number / hours) for number in range(hours)]
    total, passed, told = sum(weights), 0.0, 0
    for number, weight in enumerate(weights):
        passed += weight
        due = round(count * passed / total)
        for seconds in sorted(chance.uniform(0, HOUR.total_seconds()) for _ in range(due - told)):
            yield start + number * HOUR + timedelta(seconds=seconds)
        told = due


def _weight(time: datetime, share: float) -> float:
    local = time + timedelta(hours=UTC_OFFSET_HOURS)
    weekend = WEEKEND if local.weekday() >= 5 else 1.0
    return BY_HOUR[local.hour] * weekend * (FIRST_WEEKS + (1 - FIRST_WEEKS) * share)
