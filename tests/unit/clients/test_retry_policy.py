"""When it is tried again, on a clock of the test's own."""

from __future__ import annotations

import pytest

from clients.sdk import Conflict, InvalidOption, NotFound, RetryPolicy, TriptychError, Unavailable
from clients.sdk.errors import Refusal
from clients.sdk.retry import Attempts

AWAY = Unavailable(Refusal(code="UNAVAILABLE", message="away"))


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_pauses_grow_to_their_limit_and_differ() -> None:
    policy = RetryPolicy(initial_backoff_seconds=1.0, max_backoff_seconds=8.0)
    for attempt, step in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (5000, 8.0)]:
        pauses = {policy.backoff_seconds(attempt) for _ in range(50)}
        assert all(step / 2 <= pause <= step for pause in pauses)
        assert len(pauses) > 1


def test_the_service_is_given_the_time_that_it_asks_for() -> None:
    error = Conflict(Refusal(code="ABORTED", message="", retry_after_seconds=30.0))
    assert Attempts(RetryPolicy(), None).pause_after(error) == 30.0


@pytest.mark.parametrize(
    "error", [NotFound(Refusal(code="NOT_FOUND", message="")), Conflict(Refusal(code="ABORTED", message=""))]
)
def test_what_would_not_help_is_not_tried_again(error: TriptychError) -> None:
    assert Attempts(RetryPolicy(), None).pause_after(error) is None


def test_attempts_are_counted_until_there_is_progress() -> None:
    attempts = Attempts(RetryPolicy(max_attempts=2), None, resume=RetryPolicy(max_attempts=3))
    assert attempts.pause_after(AWAY) is not None
    assert attempts.pause_after(AWAY) is None
    attempts.progressed()
    assert [attempts.pause_after(AWAY) is None for _ in range(3)] == [False, False, True]


def test_no_attempt_begins_after_the_deadline() -> None:
    clock = Clock()
    policy = RetryPolicy(max_attempts=100, initial_backoff_seconds=2.0, max_backoff_seconds=2.0)
    attempts = Attempts(policy, 10.0, clock=clock)
    assert attempts.remaining_seconds() == 10.0
    assert attempts.pause_after(AWAY) is not None
    clock.seconds += 9.5
    assert attempts.remaining_seconds() == 0.5
    assert attempts.pause_after(AWAY) is None


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"max_attempts": 0}, "max_attempts"),
        ({"initial_backoff_seconds": 0}, "initial_backoff_seconds"),
        ({"max_backoff_seconds": 0.1}, "initial_backoff_seconds"),
    ],
)
def test_policies_that_cannot_be(options: dict[str, float], name: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        RetryPolicy(**options)  # type: ignore[arg-type]
    assert caught.value.option == name
