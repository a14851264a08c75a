"""Reading many streams whole: a user's account, and everything about the user's generations.

A store reads many streams at once, but only the beginning of each; the few that are longer are read on one by one.
What is held in memory is bounded by how many streams are asked for together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from service.domain.account import CreditsDebited
from service.domain.ids import account_stream, generation_stream, imports_stream
from service.domain.imports import ImportListed
from service.ports.event_store import Batch, EventStore

STREAMS_AT_ONCE = 200
EVENTS_AT_ONCE = 1000


async def read_whole(
    store: EventStore, stream: str, *, after_version: int = 0, until: int | None = None
) -> AsyncIterator[Batch]:
    """One stream after a version, up to position ``until``, in batches."""
    while events := await store.read_stream(stream, after_version=after_version, limit=EVENTS_AT_ONCE):
        after_version = events[-1].version
        if until is not None and events[-1].position > until:
            if wanted := [each for each in events if each.position <= until]:
                yield wanted
            return
        yield events


async def read_generations(
    store: EventStore, generation_ids: Sequence[str], *, until: int | None = None
) -> AsyncIterator[Batch]:
    """Everything about these generations up to position ``until``: each one's events in their order, the
    generations among each other in any order."""
    for start in range(0, len(generation_ids), STREAMS_AT_ONCE):
        streams = [generation_stream(each) for each in generation_ids[start : start + STREAMS_AT_ONCE]]
        events = await store.read_streams(streams, until=until, limit=EVENTS_AT_ONCE)
        yield events
        for stream, count in Counter(each.stream for each in events).items():
            if count == EVENTS_AT_ONCE:
                async for batch in read_whole(store, stream, after_version=count, until=until):
                    yield batch


async def generations_of(store: EventStore, user_id: str, *, until: int | None = None) -> list[str]:
    """Ids of a user's generations at position ``until``: those that were paid for and those that were imported, each
    in their order."""
    return [
        each.event.generation_id
        for stream in (account_stream(user_id), imports_stream(user_id))
        async for batch in read_whole(store, stream, until=until)
        for each in batch
        if isinstance(each.event, CreditsDebited | ImportListed)
    ]
