"""Turns come at the rate that was asked for, a few at once, and not during a pause."""

from __future__ import annotations

import pytest

from clients.telegram.pace import Pace


def test_a_few_at_once_then_at_the_rate() -> None:
    pace = Pace(rate=2, burst=3)
    assert [pace.take(100.0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]


def test_turns_come_back_with_time() -> None:
    pace = Pace(rate=1, burst=2)
    assert [pace.take(0.0), pace.take(0.0), pace.take(0.0)] == [0, 0, 1]
    assert pace.take(10.0) == 0


def test_never_more_than_the_rate_allows_in_any_second() -> None:
    pace, now, times = Pace(rate=30, burst=30), 5.0, []
    for _ in range(200):
        times.append(now + pace.take(now))
        now += 0.001
    for first in times:
        assert sum(first <= each < first + 1 for each in times) <= 60
    assert times[-1] - times[0] == pytest.approx((200 - 30) / 30, abs=0.1)


def test_a_pause_holds_all_turns() -> None:
    pace = Pace(rate=1, burst=3)
    pace.hold(7.0)
    assert pace.take(2.0) == pytest.approx(5.0)
    assert pace.take(2.0) == pytest.approx(6.0)
