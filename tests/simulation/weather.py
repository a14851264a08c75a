"""What goes wrong in a run, and how often: drawn once from the seed. Some runs are calm and some are storms."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

SERVICES = ("vendor", "moderation", "improver", "store", "work_list", "media")
CHAOS_SECONDS = 150.0
"""After this nothing new goes wrong: what is open must now end within its deadline and a bound."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Rates are per occasion, 0 to 1."""

    crash_rate: float
    """Of a process, at each side of each call of a port."""
    pause_rate: float
    """Of a whole process, for longer than its lease."""
    slow_rate: float
    """Of a call."""
    store_fault_rate: float
    work_list_fault_rate: float
    submit_fault_rate: float
    look_fault_rate: float
    tool_fault_rate: float
    media_fault_rate: float
    vendor_lie_rate: float
    webhook_loss_rate: float
    grace_seconds: float
    """How long a lost answer is waited for: in some runs shorter than a slow vendor takes to answer."""
    outages: dict[str, Sequence[tuple[float, float]]]
    """By service: from when to when nothing of it answers, in seconds of the run."""

    def is_out(self, service: str, seconds: float) -> bool:
        return any(begin <= seconds < end for begin, end in self.outages[service])


def draw_weather(source: random.Random) -> Weather:
    def rate(most: float) -> float:
        return source.choice((0.0, 0.1, 0.3, 1.0)) * most

    return Weather(
        crash_rate=rate(0.03),
        pause_rate=rate(0.03),
        slow_rate=rate(0.2),
        store_fault_rate=rate(0.2),
        work_list_fault_rate=rate(0.1),
        submit_fault_rate=rate(0.9),
        look_fault_rate=rate(0.5),
        tool_fault_rate=rate(0.5),
        media_fault_rate=rate(0.5),
        vendor_lie_rate=rate(0.5),
        webhook_loss_rate=rate(1.0),
        grace_seconds=source.choice((4.0, 15.0)),
        outages={service: _draw_outages(source) for service in SERVICES},
    )


def _draw_outages(source: random.Random) -> Sequence[tuple[float, float]]:
    outages = []
    for _ in range(source.choice((0, 0, 0, 1, 2))):
        begin = source.uniform(0, CHAOS_SECONDS - 5)
        outages.append((begin, min(begin + source.uniform(2, 60), CHAOS_SECONDS)))
    return outages
