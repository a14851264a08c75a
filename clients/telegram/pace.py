"""How fast messages may go: a rate on average, and a few at once (the generic cell rate algorithm)."""

from __future__ import annotations


class Pace:
    """Hands out turns: ``rate`` a second on average, at most ``burst`` at once. Times in seconds of one clock."""

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._interval_seconds = 1 / rate
        self._tolerance_seconds = (burst - 1) * self._interval_seconds
        self._next = 0.0

    def take(self, now: float) -> float:
        """Takes the next turn; how long to wait for it."""
        due = max(self._next, now)
        self._next = due + self._interval_seconds
        return max(0.0, due - self._tolerance_seconds - now)

    def hold(self, until: float) -> None:
        """Gives no turns before ``until``: the other side asked for a pause."""
        self._next = max(self._next, until + self._tolerance_seconds)
