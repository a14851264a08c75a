"""How long to wait before the next try."""

from __future__ import annotations

import random


def backoff_seconds(
    attempt: int, source: random.Random, *, first_seconds: float, most_seconds: float, factor: float = 2.0
) -> float:
    """Exponential with "equal jitter": between half and all of ``first * factor ** (attempt - 1)``, bounded.

    Attempts count from 1. The jitter keeps workers that failed together from coming back together
    (M. Brooker, "Exponential Backoff And Jitter").
    """
    exponent = min(max(attempt, 1) - 1, 40)
    full = min(first_seconds * factor**exponent, most_seconds)
    return source.uniform(full / 2, full)
