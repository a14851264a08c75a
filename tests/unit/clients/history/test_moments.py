"""Moments as they are typed: words, positions, times with their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clients.cli.moments import end_of, moment_of, start_of
from clients.cli.problems import Usage


def midnight() -> datetime:
    today = datetime.now().astimezone().date()
    return datetime(today.year, today.month, today.day).astimezone()


def test_positions_and_times_are_what_they_say() -> None:
    time = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
    assert moment_of("--as-of", "1042") == 1042
    assert moment_of("--as-of", "2026-11-25T14:00+03:00") == time
    assert start_of("--since", "2026-11-25T11:00Z") == time
    assert end_of("--until", "1042") == ("until_position", 1042)
    assert end_of("--until", "2026-11-25T11:00Z") == ("end_time", time)


def test_days_are_all_of_them() -> None:
    before = midnight()
    yesterday = moment_of("--as-of", "yesterday"), start_of("--since", "yesterday"), end_of("--until", "yesterday")
    if midnight() != before:
        pytest.skip("midnight has just passed")
    assert yesterday[0] == before - timedelta(microseconds=1)
    assert yesterday[1] is not None
    assert timedelta(hours=22) < before - yesterday[1] < timedelta(hours=26)  # Clocks are set forward and back.
    assert yesterday[2] == ("end_time", before)


def test_today_goes_on() -> None:
    assert moment_of("--as-of", "today") is None
    assert moment_of("--as-of", None) is None
    assert end_of("--until", "today") is None


@pytest.mark.parametrize("text", ["2026-11-25T14:00", "2026-11-25"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    for read in (moment_of, start_of, end_of):
        with pytest.raises(Usage, match=r"--at .* has no time zone; .* 2026-11-25T\d\d:00\+03:00"):
            read("--at", text)


@pytest.mark.parametrize("text", ["never", "", "-5", "1.5"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="no moment"):
        moment_of("--as-of", text)


def test_a_position_is_not_a_time_to_start_at() -> None:
    with pytest.raises(Usage, match="--after 1042"):
        start_of("--since", "1042")
