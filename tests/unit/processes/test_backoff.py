"""Waits grow, are jittered, and are bounded."""

from __future__ import annotations

import random

import pytest

from service.processes.backoff import backoff_seconds


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [
        (-3, 0.5, 1.0),
        (0, 0.5, 1.0),
        (1, 0.5, 1.0),
        (2, 1.0, 2.0),
        (4, 4.0, 8.0),
        (9, 15.0, 30.0),
        (10**6, 15.0, 30.0),
    ],
)
def test_between_half_and_all_of_a_bounded_exponential(attempt: int, least: float, most: float) -> None:
    source = random.Random(7)
    waits = [backoff_seconds(attempt, source, first_seconds=1.0, most_seconds=30.0) for _ in range(200)]
    assert least <= min(waits) < max(waits) <= most
