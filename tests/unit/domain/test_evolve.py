"""``evolve`` is total: every event, in any order, gives a state, and nothing is lost of what cannot be taken back."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.account import ACCOUNT
from service.domain.decider import Decider, DomainEvent
from service.domain.fulfilment import Policy, next_step
from service.domain.generation.state import GENERATION
from tests.support.samples import NOW
from tests.support.strategies import events

S = TypeVar("S")
HISTORIES = st.lists(events(), max_size=12)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(HISTORIES)
def test_every_history_gives_a_state_of_both_aggregates(history: list[DomainEvent]) -> None:
    account = ACCOUNT.fold(ACCOUNT.initial, history)
    generation = GENERATION.fold(GENERATION.initial, history)
    assert account.balance == sum(_movement(event) for event in history)
    assert next_step(generation, NOW, Policy()) is not None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(HISTORIES, st.integers(0, 12))
def test_folding_in_two_parts_is_folding_at_once(history: list[DomainEvent], cut: int) -> None:
    assert _in_two_parts(ACCOUNT, history, cut) == ACCOUNT.fold(ACCOUNT.initial, history)
    assert _in_two_parts(GENERATION, history, cut) == GENERATION.fold(GENERATION.initial, history)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(HISTORIES)
def test_an_end_is_final(history: list[DomainEvent]) -> None:
    state = GENERATION.initial
    for event in history:
        before, state = state, GENERATION.evolve(state, event)
        assert state.ended or not before.ended


def _in_two_parts(decider: Decider[S], history: list[DomainEvent], cut: int) -> S:
    return decider.fold(decider.fold(decider.initial, history[:cut]), history[cut:])


def _movement(event: DomainEvent) -> int:
    sign = {"CreditsGranted": 1, "CreditsDebited": -1, "CreditsRefunded": 1}.get(type(event).__name__, 0)
    return sign * getattr(event, "credits", 0)
