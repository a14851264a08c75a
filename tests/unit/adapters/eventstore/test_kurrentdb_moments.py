"""Known places in the log."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import kurrentdbclient as kdb

from service.adapters.eventstore.kurrentdb_moments import Moments

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int) -> kdb.RecordedEvent:
    """Event ``number`` stands at position 100 x number and was recorded in minute ``number``."""
    return kdb.RecordedEvent(
        type="E",
        data=b"{}",
        metadata=b"",
        content_type="application/json",
        id=uuid.uuid4(),
        stream_name="s",
        stream_position=number,
        commit_position=100 * number,
        prepare_position=100 * number,
        recorded_at=minute(number),
    )


def minute(number: int) -> datetime:
    return BEGINNING + timedelta(minutes=number)


def passed(moments: Moments, count: int) -> Moments:
    for number in range(1, count + 1):
        moments.note(record(number))
    return moments


def test_nothing_is_known_at_first() -> None:
    assert Moments().known_place_before(10**12) == 0
    assert Moments().known_place_after(BEGINNING) is None


def test_every_so_many_events_a_place_is_known() -> None:
    moments = passed(Moments(every_events=10), 35)
    assert [moments.known_place_before(position) for position in (999, 1000, 2999, 10**12)] == [0, 1000, 2000, 3000]
    assert moments.known_place_after(minute(9)) == 1000
    assert moments.known_place_after(minute(10)) == 2000
    assert moments.known_place_after(minute(30)) is None


def test_places_may_be_passed_again_and_backwards() -> None:
    moments = passed(passed(Moments(every_events=1), 3), 3)
    moments.note(record(2))
    assert moments.known_place_after(minute(1)) == 200


def test_there_are_never_too_many_and_some_are_left_everywhere() -> None:
    moments = passed(Moments(every_events=1, most_places=100), 10_000)
    for number in range(1, 10_001, 500):
        assert 100 * number - moments.known_place_before(100 * number) <= 100 * 1000


def test_events_near_the_end_are_known_for_a_while() -> None:
    moments = passed(Moments(every_events=10), 20)
    for position in (5000, 5100, 5200):
        moments.note_end(position)
    assert [moments.known_place_before(position) for position in (1999, 4999, 5099, 9999)] == [1000, 2000, 5000, 5200]
    for position in range(10_000, 10_100):
        moments.note_end(position)
    assert moments.known_place_before(9_999) == 2000


def test_other_messages_of_a_subscription_are_no_places() -> None:
    moments = Moments(every_events=1)
    moments.note(kdb.Checkpoint(commit_position=5, prepare_position=5, recorded_at=None))
    assert moments.known_place_before(10) == 0
