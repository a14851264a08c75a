"""Writes given events where they belong: ``await append(store, granted(100), debited(), requested())``."""

from __future__ import annotations

import uuid

from service.domain.decider import DomainEvent
from service.domain.ids import account_stream, generation_stream, imports_stream
from service.domain.imports import ImportListed
from service.ports.event_store import EventStore, NewEvent, StreamWrite


async def append(store: EventStore, *events: DomainEvent) -> int:
    """One atomic append, each event to the stream of its account or generation; the last one's position.

    As in the service, the account's events come before the generation's.
    """
    by_stream: dict[str, list[NewEvent]] = {}
    for event in events:
        new = NewEvent(uuid.uuid4(), event)  # type: ignore[arg-type]
        by_stream.setdefault(stream_of(event), []).append(new)
    writes = [
        StreamWrite(stream, await stream_version(store, stream), tuple(new)) for stream, new in by_stream.items()
    ]
    return await store.append(sorted(writes, key=lambda write: write.stream))


def stream_of(event: DomainEvent) -> str:
    if isinstance(event, ImportListed):
        return imports_stream(event.user_id)
    if type(event).__module__.endswith("account"):
        return account_stream(event.user_id)  # type: ignore[attr-defined]
    return generation_stream(event.generation_id)  # type: ignore[attr-defined]


async def stream_version(store: EventStore, stream: str) -> int:
    version = 0
    while batch := await store.read_stream(stream, after_version=version):
        version = batch[-1].version
    return version
