"""Where commands come without a pause, a projection takes what has gathered instead of each commit by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from service.adapters.eventstore.postgres import PostgresEventStore
from service.ports.event_store import RecordedEvent
from service.projections.credits import CREDITS
from service.projections.projection import Connection
from service.projections.runner import RunnerOptions
from tests.support.appending import append
from tests.support.read_models import running_read_models
from tests.support.samples import granted

REST_SECONDS = 0.3
EVENTS = 40


async def test_batches_have_rests_between_them(database: str) -> None:
    batches: list[int] = []

    async def counted(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
        batches.append(len(events))
        return await CREDITS.apply(events, connection)

    resting = RunnerOptions(rest_factor=1e6, most_rest_seconds=REST_SECONDS)
    async with (
        PostgresEventStore.open(database) as store,
        running_read_models(
            database, store, projections=[replace(CREDITS, apply=counted)], options=resting
        ) as models,
    ):
        began = time.monotonic()
        for number in range(EVENTS):
            await append(store, granted(1, grant_id=f"grant-{number}"))
        await models.caught_up(["credits"])
        rests = (time.monotonic() - began) / REST_SECONDS
    assert sum(batches) == EVENTS
    # One before the first rest, one after each, and one that may have begun just before the first append.
    assert len(batches) <= rests + 2
