"""What becomes of the items, and of the money, after a generation has ended: marks, the trash, refunds by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.application.seeding.lives import Life
from service.domain import account as accounts
from service.domain.generation import curation
from service.domain.generation.curation import ItemDecision
from service.domain.generation.decided import Decided

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

Act = Callable[[Life], None]


def live_on(life: Life) -> Iterator[float]:
    """Like a life itself: yields the seconds that pass until it goes on."""
    passed = 0.0
    for seconds, act in sorted(_plan(life), key=lambda planned: planned[0]):
        yield seconds - passed
        passed = seconds
        act(life)


def _plan(life: Life) -> Iterator[tuple[float, Act]]:
    chance = life.world.chance
    for item in life.state.items:
        if chance.random() < 0.22:
            seconds = chance.expovariate(1 / (10 * MINUTE))
            yield seconds, _mark(curation.favorite, item.item_id)
            if chance.random() < 0.1:
                yield seconds + chance.expovariate(1 / DAY), _mark(curation.unfavorite, item.item_id)
        if chance.random() < 0.1:
            seconds = chance.expovariate(1 / (2 * DAY))
            yield seconds, _mark(curation.trash, item.item_id)
            if chance.random() < 0.2:
                yield seconds + chance.expovariate(1 / HOUR), _mark(curation.restore, item.item_id)
    if life.state.items and chance.random() < 0.006:
        yield chance.expovariate(1 / (8 * HOUR)), _pay_back


def _mark(decision: ItemDecision, item_id: str) -> Act:
    def act(life: Life) -> None:
        life.record(Decided([], decision(life.state, life.state.user_id, item_id)), actor="web")

    return act


def _pay_back(life: Life) -> None:
    state = life.state
    refunds = accounts.refund_by_hand(
        life.account,
        user_id=state.user_id,
        generation_id=state.generation_id,
        note="not what was asked for",
        actor="support",
        now=life.world.now,
    )
    life.record(Decided(refunds, []), actor="support")
