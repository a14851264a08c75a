"""A circuit breaker: after several failures in a row a vendor is left alone for a while, then tried with one call.

    closed --failures--> open --cooldown over--> half open --success--> closed
                           ^--------failure----------'

Failures about one generation count once, however often they come: a job that the vendor cannot speak of is no reason
to leave the vendor alone.

Ours rather than a library's because its clock and its jitter must be the injected ones: the simulation that proves
the refunds runs on virtual time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

import structlog

from service.processes.backoff import backoff_seconds

log = structlog.get_logger(__name__)


class BreakerState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One per vendor and process. ``on_change`` is told each new state."""

    def __init__(
        self,
        vendor: str,
        *,
        now: Callable[[], datetime],
        source: random.Random,
        failure_threshold: int = 5,
        first_cooldown_seconds: float = 5.0,
        most_cooldown_seconds: float = 60.0,
        on_change: Callable[[str, BreakerState, str], None] | None = None,
    ) -> None:
        self.vendor = vendor
        self.state = BreakerState.CLOSED
        self._now = now
        self._random = source
        self._threshold = failure_threshold
        self._first_seconds = first_cooldown_seconds
        self._most_seconds = most_cooldown_seconds
        self.last_failure = ""
        self._on_change = on_change
        self._failures = 0
        self._failing: set[str] = set()
        self._openings = 0
        self._reopen_at = now()
        self._trial_until: datetime | None = None

    @property
    def present_state(self) -> BreakerState:
        """For reports: open only while nobody may call. Without this a vendor to which nobody sends anything, because
        it is reported as away, would be reported so for ever."""
        over = self.state is BreakerState.OPEN and self._now() >= self._reopen_at
        return BreakerState.HALF_OPEN if over else self.state

    def blocked_until(self) -> datetime | None:
        """None when the vendor may be called now; otherwise when to ask again.

        In the half-open state exactly one caller is let through; the others wait for what comes of it.
        """
        now = self._now()
        if self.state is BreakerState.CLOSED:
            return None
        if now < self._reopen_at:
            return self._reopen_at
        if self._trial_until is not None and now < self._trial_until:
            return self._trial_until
        self._trial_until = now + timedelta(seconds=self._first_seconds)
        self._change(BreakerState.HALF_OPEN, "trying one call")
        return None

    def succeeded(self) -> None:
        self._failures = 0
        self._failing.clear()
        self._openings = 0
        self._trial_until = None
        self.last_failure = ""
        if self.state is not BreakerState.CLOSED:
            self._change(BreakerState.CLOSED, "the vendor answers again")

    def failed(self, detail: str, *, about: str = "") -> None:
        """``about``: the generation that the call was about, where the failure may be that one's alone."""
        self.last_failure = detail
        if not about:
            self._failures += 1
        elif about not in self._failing:
            self._failures += 1
            if len(self._failing) < self._threshold:  # beyond that it is open anyway
                self._failing.add(about)
        if self.state is BreakerState.HALF_OPEN or self._failures >= self._threshold:
            self._open(detail)

    def _open(self, detail: str) -> None:
        if self.state is BreakerState.OPEN and self._now() < self._reopen_at:
            return
        self._openings += 1
        cooldown_seconds = backoff_seconds(
            self._openings, self._random, first_seconds=self._first_seconds, most_seconds=self._most_seconds
        )
        self._reopen_at = self._now() + timedelta(seconds=cooldown_seconds)
        self._trial_until = None
        self._change(BreakerState.OPEN, detail)

    def _change(self, state: BreakerState, detail: str) -> None:
        if state is self.state:
            return
        self.state = state
        log.warning("vendor_breaker", vendor=self.vendor, state=state.value, detail=detail)
        if self._on_change is not None:
            self._on_change(self.vendor, state, detail)
