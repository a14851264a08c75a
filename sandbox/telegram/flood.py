"""Flood control: how much a bot may write. What is too much is answered with 429 and when to try again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from sandbox.telegram.errors import too_many_requests
from sandbox.telegram.options import FloodLimits


class _Bucket:
    """A token bucket: ``burst`` tokens at most, ``rate`` new ones a second."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens = float(burst)
        self._filled_at = now

    def seconds_until(self, count: int, now: float) -> float:
        """How long until ``count`` can be taken; more than the whole bucket can be taken from a full one."""
        self._tokens = min(float(self._burst), self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return max(0.0, min(count, self._burst) - self._tokens) / self._rate

    def take(self, count: int) -> None:
        self._tokens -= count


class FloodControl:
    """Counts messages and edits, by chat and over all. ``clock`` gives seconds."""

    def __init__(self, limits: FloodLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.set_limits(limits)

    def set_limits(self, limits: FloodLimits) -> None:
        """Begins anew with other limits."""
        self.limits = limits
        self._chats: dict[int, _Bucket] = {}
        burst = max(1, math.ceil(limits.per_second))
        self._all = _Bucket(limits.per_second, burst, self._clock()) if limits.per_second else None

    def pass_or_refuse(self, chat_id: int, count: int = 1) -> None:
        """Counts ``count`` messages to a chat. Raises BotApiError 429, and then counts none."""
        now = self._clock()
        buckets = [] if self._all is None else [self._all]
        if self.limits.chat_per_second:
            fresh = _Bucket(self.limits.chat_per_second, self.limits.chat_burst, now)
            buckets.append(self._chats.setdefault(chat_id, fresh))
        wait = max((bucket.seconds_until(count, now) for bucket in buckets), default=0.0)
        if wait > 0:
            raise too_many_requests(max(1, math.ceil(wait)))
        for bucket in buckets:
            bucket.take(count)
