"""The whole story: people ask, and every generation lives on beside the others, all in the order of time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

from service.application.seeding.afterwards import live_on
from service.application.seeding.calendar import asking_times, share_of
from service.application.seeding.lives import Life, Waits
from service.application.seeding.world import World
from service.domain.catalog import Catalog, MediaType
from service.domain.generation import events as e
from service.domain.generation.request import RequestFacts
from service.domain.ids import generation_id_for
from service.ports.history_import import DatedEvent

WEEKS = 8
EVENTS_PER_WISH = 9.2
"""How many events come of one wish on average, all told."""
QUIET_END = timedelta(hours=2)
"""Before the end nobody asks any more, so that everything has ended by then."""
BATCH_EVENTS = 5000


def seeded_history(
    catalog: Catalog, *, seed: int, events: int, end: datetime, weeks: int = WEEKS
) -> Iterator[list[DatedEvent]]:
    """About ``events`` events (a little more) of the ``weeks`` before ``end``, in batches, in the order of time."""
    start = end - timedelta(weeks=weeks)
    world = World(catalog, seed=seed, events=events, start=start, end=end)
    wishes = max(1, round(events / EVENTS_PER_WISH))
    under_way: list[tuple[datetime, int, Waits]] = []
    order = itertools.count()
    for number, time in enumerate(asking_times(world.chance, start, end - QUIET_END, wishes)):
        _live_until(world, under_way, time, order)
        world.now = time
        if (life := _ask(world, number)) is not None:
            heapq.heappush(under_way, (time, next(order), _whole_life(life)))
        if len(world.written) >= BATCH_EVENTS:
            yield world.written
            world.written = []
    _live_until(world, under_way, end, order)
    if world.written:
        yield world.written


def _live_until(
    world: World, under_way: list[tuple[datetime, int, Waits]], until: datetime, order: Iterator[int]
) -> None:
    while under_way and under_way[0][0] <= until:
        world.now, _, waits = heapq.heappop(under_way)
        seconds = next(waits, None)
        if seconds is not None:
            heapq.heappush(under_way, (world.now + timedelta(seconds=seconds), next(order), waits))


def _whole_life(life: Life) -> Waits:
    yield from life.run()
    yield from live_on(life)
    life.world.forget(life.state.generation_id)


def _ask(world: World, number: int) -> Life | None:
    """Somebody's wish; None when they cannot pay and do not want to."""
    chance = world.chance
    user_id = world.crowd.someone(share_of(world.now, world.start, world.end))
    name, media_type = _some_type(world)
    output_count = min(chance.choice((1, 1, 1, 2, 2, 4)), media_type.max_outputs)
    if not world.can_pay(user_id, media_type.credits_per_output * output_count):
        return None
    request_id = f"request-{number}"
    asked = e.AskedParameters(
        generation_type=name,
        prompt=world.crowd.wish(),
        aspect_ratio=chance.choice(("", "", *media_type.aspect_ratios)),
        output_count=output_count,
        seed=chance.getrandbits(31) if chance.random() < 0.1 else None,
        reference_media_id=f"{chance.getrandbits(128):032x}" if media_type.needs_reference else "",
        enhance_prompt=chance.random() < 0.9,
    )
    facts = RequestFacts(
        generation_id=generation_id_for(user_id, request_id),
        user_id=user_id,
        request_id=request_id,
        asked=asked,
        catalog=world.catalog,
        reference_found=True,
        now=world.now,
    )
    return Life(world, media_type, facts)


def _some_type(world: World) -> tuple[str, MediaType]:
    """The cheaper, the more often."""
    types = list(world.catalog.types.items())
    return world.chance.choices(types, weights=[1 / each.credits_per_output for _, each in types])[0]
