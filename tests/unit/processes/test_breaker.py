"""The breaker leaves a failing vendor alone, then tries it with one call."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from service.processes.breaker import Breaker, BreakerState
from tests.support.samples import NOW


class Told:
    """A clock one can turn, and what the breaker said about itself."""

    def __init__(self) -> None:
        self.now = NOW
        self.states: list[BreakerState] = []
        self.breaker = Breaker(
            "fal",
            now=lambda: self.now,
            source=random.Random(3),
            failure_threshold=3,
            first_cooldown_seconds=4.0,
            most_cooldown_seconds=16.0,
            on_change=lambda _vendor, state, _detail: self.states.append(state),
        )

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failed("down")

    def go_to(self, moment: datetime | None) -> None:
        assert moment is not None, "the breaker was expected to block"
        self.now = moment


@pytest.fixture
def told() -> Told:
    return Told()


def test_fewer_failures_than_the_threshold_block_nothing(told: Told) -> None:
    told.fail(2)
    told.breaker.succeeded()
    told.fail(2)
    assert told.breaker.blocked_until() is None
    assert told.states == []


def test_it_opens_at_the_threshold_for_a_while(told: Told) -> None:
    told.fail(3)
    blocked_until = told.breaker.blocked_until()
    assert blocked_until is not None
    assert timedelta(seconds=2) <= blocked_until - NOW <= timedelta(seconds=4)
    assert told.states == [BreakerState.OPEN]


def test_after_the_cooldown_one_call_is_let_through(told: Told) -> None:
    told.fail(3)
    told.go_to(told.breaker.blocked_until())
    assert told.breaker.blocked_until() is None
    assert told.breaker.state is BreakerState.HALF_OPEN
    assert told.breaker.blocked_until() == told.now + timedelta(seconds=4)


def test_a_trial_of_which_nothing_is_heard_is_followed_by_another(told: Told) -> None:
    told.fail(3)
    told.go_to(told.breaker.blocked_until())
    assert told.breaker.blocked_until() is None
    told.go_to(told.breaker.blocked_until())
    assert told.breaker.blocked_until() is None


def test_a_trial_that_succeeds_closes_it(told: Told) -> None:
    told.fail(3)
    told.go_to(told.breaker.blocked_until())
    told.breaker.blocked_until()
    told.breaker.succeeded()
    assert told.breaker.blocked_until() is None
    assert told.states == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


def test_trials_that_fail_make_the_cooldowns_longer_up_to_a_bound(told: Told) -> None:
    told.fail(3)
    cooldowns: list[float] = []
    for _ in range(6):
        before = told.now
        told.go_to(told.breaker.blocked_until())
        cooldowns.append((told.now - before).total_seconds())
        told.breaker.blocked_until()
        told.fail()
    assert 2 <= cooldowns[0] <= 4
    assert 8 <= cooldowns[-1] <= 16


def test_failures_of_calls_that_were_under_way_do_not_prolong_it(told: Told) -> None:
    told.fail(3)
    blocked_until = told.breaker.blocked_until()
    told.fail(10)
    assert told.breaker.blocked_until() == blocked_until


def test_one_generation_that_the_vendor_cannot_speak_of_counts_once(told: Told) -> None:
    for _ in range(50):
        told.breaker.failed("500", about="one")
    told.breaker.failed("500", about="another")
    assert told.breaker.blocked_until() is None
    assert told.breaker.last_failure == "500"
    told.breaker.failed("500", about="a third")
    assert told.states == [BreakerState.OPEN]


def test_it_is_reported_as_open_only_until_it_may_be_tried(told: Told) -> None:
    told.fail(3)
    reported = [told.breaker.present_state]
    told.go_to(told.breaker.blocked_until())
    reported.append(told.breaker.present_state)
    told.breaker.blocked_until()
    told.breaker.succeeded()
    reported.append(told.breaker.present_state)
    assert reported == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]
