"""Replays: every selection delivers what it says, once, in order, and can be taken up anywhere."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.event_types import CATEGORIES
from service.application.history import History, HistoryBatch, Selection
from service.application.owners import OwnedEvent, Owner, Owners
from service.domain.errors import InvalidField
from service.domain.events import EVENT_TYPES
from service.domain.generation.events import GenerationRequested
from tests.support.history import History as RandomHistory
from tests.support.log import PATIENCE_SECONDS, read_all
from tests.support.samples import NOW

START = NOW - timedelta(days=30)
TYPES = sorted(EVENT_TYPES)


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
async def store() -> MemoryEventStore:
    """Some thousand events, an append every 20 seconds."""
    appends = iter(range(10**6))
    store = MemoryEventStore(now=lambda: START + timedelta(seconds=20 * next(appends)))
    await RandomHistory(seed=11, users=4).append_to(store, appends=900)
    return store


@pytest.fixture(scope="module")
async def log(store: MemoryEventStore) -> Sequence[OwnedEvent]:
    """The whole log, with owners worked out from the whole log."""
    events = await read_all(store)
    requested = {
        each.event.generation_id: each.event for each in events if isinstance(each.event, GenerationRequested)
    }
    owned = []
    for each in events:
        request = requested.get(getattr(each.event, "generation_id", ""))
        owner = Owner(request.user_id, request.asked.generation_type) if request else Owner(each.event.user_id)  # type: ignore[union-attr]
        owned.append(OwnedEvent(each, owner))
    return owned


def matches(each: OwnedEvent, selection: Selection) -> bool:
    recorded, owner = each
    return (
        selection.after_position < recorded.position <= (selection.until_position or recorded.position)
        and (selection.start_time is None or recorded.recorded_at >= selection.start_time)
        and (selection.end_time is None or recorded.recorded_at < selection.end_time)
        and (not selection.types or recorded.type in selection.types)
        and (not selection.categories or recorded.stream.partition("-")[0] in selection.categories)
        and selection.user_id in ("", owner.user_id)
        and selection.generation_type in ("", owner.generation_type)
    )


def drawn_selection(chance: random.Random, log: Sequence[OwnedEvent]) -> Selection:
    fields: dict[str, Any] = {}
    start, end = sorted(chance.choices([each.recorded for each in log], k=2), key=lambda each: each.position)
    possible = {
        "after_position": start.position,
        "until_position": end.position,
        "start_time": start.recorded_at,
        "end_time": end.recorded_at,
        "types": frozenset(chance.sample(TYPES, k=chance.randint(1, 5))),
        "categories": frozenset([chance.choice(sorted(CATEGORIES))]),
        "user_id": f"user-{chance.randint(0, 5)}",
        "generation_type": chance.choice(["imagen4", "avatar", "video"]),
    }
    for name in chance.sample(sorted(possible), k=chance.randint(0, 4)):
        fields[name] = possible[name]
    return Selection(**fields)


async def replayed(history: History, selection: Selection, batch_size: int = 500) -> list[HistoryBatch]:
    return [batch async for batch in history.replay(selection, batch_size=batch_size)]


@pytest.mark.parametrize("most_direct_generations", [0, 10**6], ids=["through the log", "through the user's streams"])
async def test_selection_delivers_what_it_says(
    store: MemoryEventStore, log: Sequence[OwnedEvent], most_direct_generations: int
) -> None:
    chance = random.Random(5)
    history = History(store, Clock(), most_direct_generations=most_direct_generations)
    for _ in range(60):
        selection = drawn_selection(chance, log)
        batches = await replayed(history, selection, chance.choice([1, 7, 500]))
        told = [event for batch in batches for event in batch.events]
        assert told == [each for each in log if matches(each, selection)], selection
        assert [batch.caught_up for batch in batches] == [False] * (len(batches) - 1) + [True]


async def test_owners_are_found_with_the_smallest_memory(store: MemoryEventStore, log: Sequence[OwnedEvent]) -> None:
    owners = Owners(store, remembered=1)
    told: list[OwnedEvent] = []
    async for batch in store.read_all(batch_size=3):
        told += await owners.of(batch)
    assert told == log


async def test_replay_is_taken_up_at_any_batch(store: MemoryEventStore, log: Sequence[OwnedEvent]) -> None:
    history = History(store, Clock())
    for selection in (Selection(), Selection(user_id="user-1"), Selection(generation_type="video")):
        wanted = [each for each in log if matches(each, selection)]
        for batch in (await replayed(history, selection, 100))[::5]:
            before = [each for each in wanted if each.recorded.position <= batch.position]
            rest = await replayed(history, Selection(**_fields(selection) | {"after_position": batch.position}))
            assert before + [event for batch in rest for event in batch.events] == wanted


def _fields(selection: Selection) -> dict[str, Any]:
    return {name: getattr(selection, name) for name in selection.__struct_fields__}


@pytest.mark.parametrize("selection", [Selection(), Selection(user_id="user-1")], ids=["all", "a user"])
async def test_follower_gets_the_past_and_then_what_comes(selection: Selection) -> None:
    store = MemoryEventStore()
    source = RandomHistory(seed=3, users=2)
    await source.append_to(store, appends=100)
    history = History(store, Clock())
    told: list[int] = []
    batch = HistoryBatch((), 0, caught_up=False)
    async with aclosing(history.replay(selection, follow=True, batch_size=10)) as batches:  # type: ignore[type-var]
        for _ in range(3):
            await source.append_to(store, appends=40)
            head = await store.head()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while batch.position < head:
                    batch = await anext(batches)
                    told += [each.recorded.position for each in batch.events]
            wanted = [batch.events for batch in await replayed(history, selection)]
            assert told == [each.recorded.position for events in wanted for each in events]
            assert batch.caught_up


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("types", {"types": frozenset(["NoSuchEvent"])}),
        ("categories", {"categories": frozenset(["accounts"])}),
        ("after_position", {"after_position": -1}),
        ("after_position", {"after_position": 10**9}),
        ("until_position", {"until_position": 10**9}),
        ("until_position", {"until_position": 3, "after_position": 5}),
        ("start_time", {"start_time": NOW + timedelta(days=1)}),
        ("end_time", {"end_time": NOW + timedelta(days=1)}),
        ("end_time", {"start_time": START + timedelta(hours=2), "end_time": START}),
        ("until_position", {"until_position": 3, "follow": True}),
        ("end_time", {"end_time": START, "follow": True}),
    ],
)
async def test_what_cannot_be_right_is_named(store: MemoryEventStore, field: str, fields: dict[str, Any]) -> None:
    follow = fields.pop("follow", False)
    with pytest.raises(InvalidField) as refusal:
        await anext(aiter(History(store, Clock()).replay(Selection(**fields), follow=follow)))
    assert refusal.value.field == field


async def test_time_before_all_logs_is_the_beginning(store: MemoryEventStore, log: Sequence[OwnedEvent]) -> None:
    history = History(store, Clock())
    year_1 = datetime(1, 1, 1, tzinfo=UTC)
    assert [event for batch in await replayed(history, Selection(start_time=year_1)) for event in batch.events] == log
    assert [batch.events for batch in await replayed(history, Selection(end_time=year_1))] == [()]


async def test_types_are_described_and_counted(store: MemoryEventStore, log: Sequence[OwnedEvent]) -> None:
    found = await History(store, Clock(), schema_versions={"ItemTrashed": 3}).event_types()
    assert [each.name for each in found] == list(EVENT_TYPES)
    for each in found:
        events = [known.recorded for known in log if known.recorded.type == each.name]
        assert each.count == len(events)
        assert (each.first_at, each.last_at) == (
            (events[0].recorded_at, events[-1].recorded_at) if events else (None, None)
        )
        assert each.description.endswith(".")
        assert each.name in CATEGORIES[each.category]
        assert each.versions == ((1, 2, 3) if each.name == "ItemTrashed" else (1,))
        assert each.json_schema["$defs"][each.name]["type"] == "object"


async def test_past_moments_are_positions(store: MemoryEventStore, log: Sequence[OwnedEvent]) -> None:
    history = History(store, Clock())
    middle = log[len(log) // 2].recorded
    assert await history.as_of(middle.position) == middle.position
    assert await history.as_of(middle.recorded_at) == await store.position_at(middle.recorded_at)
    assert await history.as_of(START - timedelta(days=1)) == await history.as_of(0) == 0
    for field, moment in [
        ("as_of_position", await store.head() + 1),
        ("as_of_position", -1),
        ("as_of_time", NOW + timedelta(days=1)),
    ]:
        with pytest.raises(InvalidField) as refusal:
            await history.as_of(moment)  # type: ignore[arg-type]
        assert refusal.value.field == field
