"""When a call is made again.

Only where that is safe and may help: the service is away (UNAVAILABLE), has too much to do (RESOURCE_EXHAUSTED), or
says itself that trying again may help (RetryInfo). Requests and grants are sent again under the same id, so that what
was done already is not done twice. Never more than ``max_attempts`` times, never beyond the call's deadline, and with
pauses that grow and differ from client to client.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from clients.sdk.errors import InvalidOption, ResourceExhausted, TriptychError, Unavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """At most ``max_attempts`` in a row, the first one included; 1 never tries again. Pauses in seconds."""

    max_attempts: int = 5
    initial_backoff_seconds: float = 0.2
    max_backoff_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise InvalidOption("max_attempts", f"must be 1 or more, not {self.max_attempts}")
        if not 0 < self.initial_backoff_seconds <= self.max_backoff_seconds:
            raise InvalidOption(
                "initial_backoff_seconds",
                f"must be more than 0 and at most max_backoff_seconds ({self.max_backoff_seconds:g}), "
                f"not {self.initial_backoff_seconds:g}",
            )

    def backoff_seconds(self, attempt: int) -> float:
        """The pause after the ``attempt``-th failure in a row (from 1), between a half and the whole of its step."""
        # The exponent is bounded, because 2.0 ** 1024 is an error.
        step = min(self.initial_backoff_seconds * 2.0 ** min(attempt - 1, 60), self.max_backoff_seconds)
        return step * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


CALLS = RetryPolicy()
WATCHES = RetryPolicy(max_attempts=16, max_backoff_seconds=10.0)
"""For streams that resume: a minute and a half without any message, enough for a service that is started anew."""


class Attempts:
    """The attempts at one call. Starts its deadline when it is made; ``timeout_seconds`` None sets none."""

    def __init__(
        self,
        policy: RetryPolicy,
        timeout_seconds: float | None,
        *,
        resume: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._resume = resume or policy
        self._clock = clock
        self._ends_at = None if timeout_seconds is None else clock() + timeout_seconds
        self._failures = 0

    def remaining_seconds(self) -> float | None:
        """What is left for the next attempt; None is no limit."""
        return None if self._ends_at is None else max(self._ends_at - self._clock(), 0.001)

    def progressed(self) -> None:
        """A message came: failures before it count no more, and from now on the policy for resuming holds."""
        self._failures = 0
        self._policy = self._resume

    def pause_after(self, error: TriptychError) -> float | None:
        """How long to wait before the next attempt; None when there is to be none."""
        self._failures += 1
        if not may_help(error) or self._failures >= self._policy.max_attempts:
            return None
        pause_seconds = max(self._policy.backoff_seconds(self._failures), error.retry_after_seconds or 0.0)
        remaining_seconds = self.remaining_seconds()
        if remaining_seconds is not None and pause_seconds >= remaining_seconds:
            return None
        log.info("Trying again in %.1f s: %s", pause_seconds, error)
        return pause_seconds


def may_help(error: TriptychError) -> bool:
    """Whether the same call may succeed later, and is safe to make."""
    return isinstance(error, Unavailable | ResourceExhausted) or error.retry_after_seconds is not None
