"""What if: the same rules change nothing, others change what they should, and the log stays as it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.adapters.clock import SystemClock
from service.adapters.eventstore.memory import MemoryEventStore
from service.application.history import History
from service.application.simulation import Simulation
from service.application.simulation_totals import Compared, Refusal, Totals
from service.application.what_if import Progress, WhatIf
from service.domain.account import CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.errors import InvalidField
from service.domain.generation.events import GenerationRequested
from tests.support.history import History as RandomHistory
from tests.support.log import read_all
from tests.support.samples import CATALOG, NOW


def toml(**prices: int) -> str:
    """A catalog of pictures and videos at these prices; all limits are wide."""
    return "\n".join(
        f'[types.{name}]\ntitle_ru = "x"\ntitle_en = "x"\nicon = "x"\nkind = "image"\nmodel = "a/b"\n'
        f'credits_per_output = {price}\nmax_outputs = 4\naspect_ratios = ["1:1", "16:9"]\ndeadline_seconds = 300\n'
        f"needs_reference = {str(name == 'avatar').lower()}\n"
        for name, price in prices.items()
    )


@pytest.fixture(scope="module")
async def store() -> MemoryEventStore:
    store = MemoryEventStore(now=lambda: NOW - timedelta(days=1))
    await RandomHistory(seed=3).append_to(store, appends=1500)
    return store


async def simulate(store: MemoryEventStore, catalog_toml: str = "", refund_rule: str = "") -> Simulation:
    what_if = WhatIf(History(store, SystemClock()), store, CATALOG)
    told = [each async for each in what_if.simulate(catalog_toml=catalog_toml, refund_rule=refund_rule)]
    found = told[-1]
    assert isinstance(found, Simulation)
    assert [each.position for each in told[:-1] if isinstance(each, Progress)][-1] == found.comparison.position
    return found


async def test_the_same_rules_change_nothing(store: MemoryEventStore) -> None:
    found = await simulate(store)
    comparison = found.comparison
    assert comparison.total().actual == comparison.total().simulated
    assert comparison.affected_users() == []
    assert not comparison.refusals
    events = [each.event for each in await read_all(store)]
    assert comparison.total().actual == Totals(
        accepted=sum(isinstance(each, CreditsDebited) for each in events),
        credits_taken=sum(each.credits for each in events if isinstance(each, CreditsDebited)),
        credits_refunded=sum(each.credits for each in events if isinstance(each, CreditsRefunded)),
    )
    assert comparison.credits_granted == sum(each.credits for each in events if isinstance(each, CreditsGranted))
    assert any(isinstance(each, CreditsRefunded) and each.cause == "manual" for each in events)


async def test_nothing_is_written(store: MemoryEventStore) -> None:
    before = await read_all(store)
    await simulate(store, toml(imagen4=7, avatar=10, video=50), "none")
    assert await read_all(store) == before


async def test_accounts_stay_sound_whatever_the_rules(store: MemoryEventStore) -> None:
    for rule in ("undelivered", "failed", "incomplete", "none"):
        found = await simulate(store, toml(imagen4=40, avatar=90, video=200), rule)
        total = found.comparison.total()
        assert min(found.balances.values()) >= 0
        assert 0 <= total.simulated.credits_refunded <= total.simulated.credits_taken
        assert sum(found.balances.values()) == found.comparison.credits_granted - total.simulated.kept
        assert total.simulated.accepted + total.refused == total.actual.accepted
        assert set(found.comparison.refusals) <= {
            Refusal(name, "INSUFFICIENT_CREDITS", "") for name in ("imagen4", "avatar", "video")
        }
        assert sum(found.comparison.refusals.values()) == total.refused > 0


async def test_double_prices_take_double_where_the_balance_allows_it(store: MemoryEventStore) -> None:
    found = await simulate(store, toml(imagen4=10, avatar=10, video=50))
    pictures, video = found.comparison.by_type["imagen4"], found.comparison.by_type["video"]
    assert pictures.refused == 0
    assert pictures.simulated.credits_taken == 2 * pictures.actual.credits_taken
    assert pictures.simulated.credits_refunded == 2 * pictures.actual.credits_refunded
    assert video.simulated == video.actual
    assert [user for user, _ in found.comparison.affected_users()] != []


async def test_a_type_that_is_gone_is_refused_with_the_field(store: MemoryEventStore) -> None:
    found = await simulate(store, toml(imagen4=5, avatar=10))
    videos = found.comparison.by_type["video"]
    assert (videos.simulated, videos.refused) == (Totals(), videos.actual.accepted)
    assert found.comparison.refusals == {Refusal("video", "INVALID_FIELD", "type"): videos.refused}


async def test_without_refunds_support_still_gives_back_all_that_is_left() -> None:
    """Up to the first refund by hand; then the whole price is left to give, whatever had come back in reality."""
    store = MemoryEventStore(now=lambda: NOW - timedelta(days=1))
    random, by_hand = RandomHistory(seed=1), None
    while by_hand is None:
        await store.append(random.next_append())
        last = (await read_all(store))[-1].event
        by_hand = last if isinstance(last, CreditsRefunded) and last.cause == "manual" else None
    requested = next(
        each.event
        for each in await read_all(store)
        if isinstance(each.event, GenerationRequested) and each.event.generation_id == by_hand.generation_id
    )
    found = await simulate(store, refund_rule="none")
    price = requested.output_count * requested.credits_per_output
    assert found.comparison.total().simulated.credits_refunded == price
    assert found.comparison.total().actual.credits_refunded > by_hand.credits


@pytest.mark.parametrize(
    ("catalog_toml", "refund_rule", "field"),
    [
        ("this is no TOML", "", "catalog_toml"),
        ("x" * 100_001, "", "catalog_toml"),
        (toml(imagen4=0), "", "catalog_toml"),
        ("", "generous", "refund_rule"),
    ],
)
async def test_what_cannot_be_right_names_the_field(catalog_toml: str, refund_rule: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        await simulate(MemoryEventStore(), catalog_toml, refund_rule)
    assert refused.value.field == field


async def test_an_empty_log_compares_nothing() -> None:
    found = await simulate(MemoryEventStore())
    assert found.comparison.total() == Compared()
