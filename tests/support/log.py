"""Small helpers to write to an event store and to read from it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Sequence

from service.domain.account import CreditsGranted
from service.domain.generation.events import ItemFavorited
from service.ports.event_store import EventStore, NewEvent, RecordedEvent, StreamWrite, SubscriptionBatch

PATIENCE_SECONDS = 60.0
"""A bound on waits that end in milliseconds on a quiet machine."""


def favorited(item_id: str = "item") -> NewEvent:
    return NewEvent(uuid.uuid4(), ItemFavorited(generation_id="g", item_id=item_id))


def granted(note: str = "") -> NewEvent:
    return NewEvent(uuid.uuid4(), CreditsGranted(user_id="u", grant_id="g", credits=1, note=note))


def write(stream: str, expected_version: int, *events: NewEvent) -> StreamWrite:
    """Without events: one of some kind."""
    return StreamWrite(stream, expected_version, events or (favorited(),))


async def read_all(
    store: EventStore,
    *,
    after: int = 0,
    until: int | None = None,
    types: Collection[str] | None = None,
    batch_size: int = 1000,
) -> list[RecordedEvent]:
    batches = store.read_all(after=after, until=until, types=types, batch_size=batch_size)
    return [event async for batch in batches for event in batch]


async def following(subscription: AsyncIterator[SubscriptionBatch]) -> SubscriptionBatch:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(subscription)


async def follow_to(subscription: AsyncIterator[SubscriptionBatch], position: int) -> list[SubscriptionBatch]:
    """Batches up to the one that reaches ``position``."""
    batches: list[SubscriptionBatch] = []
    while not batches or batches[-1].position < position:
        batches.append(await following(subscription))
    return batches


def positions(events: Sequence[RecordedEvent]) -> list[int]:
    return [each.position for each in events]


def ids(writes: Sequence[StreamWrite]) -> list[uuid.UUID]:
    return [new.event_id for each in writes for new in each.events]


async def until(condition: Callable[[], bool]) -> None:
    """For what has no event to wait for; bounded."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
