"""Moving a history from one event store to another: every event, in order, with its id, time and metadata.

Positions are the stores' own, and differ. Everything else must be the same in the end, so the two logs are walked
side by side and compared event by event:

1. Before: what the target has must be the beginning of the source, or nothing. So an interrupted copy goes on where
   it stopped, and a target that has a life of its own is left alone.
2. What is missing is written in chunks that never cut an append in two: events that follow each other, were recorded
   at the same time and have the same metadata.
3. After: both are walked again from the beginning, and must be the same to the end.

Events are compared, and written, in today's form; older forms are brought up on the way. A log whose times go back
(KurrentDB's may, by what its nodes' clocks differ) is copied with times that do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import UTC, datetime

import msgspec

from service.ports.event_store import EventStore, NewEvent, RecordedEvent
from service.ports.history_import import DatedEvent, HistoryImport, were_one_append

CHUNK_EVENTS = 20_000
PROGRESS_EVENTS = 500

OpenImport = Callable[[], AbstractAsyncContextManager[HistoryImport]]
Progress = Callable[[int], None]
"""Is told the position in the source that was reached."""


class LogsDiffer(Exception):
    """The target is not the beginning of the source. ``number`` counts events from 1."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"the logs differ at event {number}: {why}")
        self.number = number


class Agreement(msgspec.Struct, frozen=True):
    """What two logs have in common from their beginning on."""

    events: int = 0
    digest: str = hashlib.sha256().hexdigest()
    """SHA-256 over these events as the target has them, positions left out."""
    position: int = 0
    """Of the last of them in the source."""
    time: datetime = datetime.min.replace(tzinfo=UTC)
    """When that one was recorded."""


class Copied(msgspec.Struct, frozen=True):
    events: int
    """In both logs now."""
    copied: int
    """Of them, by this copy."""
    digest: str


async def compare(source: EventStore, target: EventStore, *, until: int, progress: Progress) -> Agreement:
    """All of the target against the beginning of the source. Raises LogsDiffer, UnreadableEvent."""
    digest, number = hashlib.sha256(), 0
    position, time = 0, Agreement().time
    async with aclosing(_events(source, 0, until)) as ours, aclosing(_events(target, 0, None)) as theirs:
        async for their in theirs:
            number += 1
            our = await anext(ours, None)
            if our is None:
                raise LogsDiffer(number, f"the target goes on with {_name(their)}, where the source ends")
            position, time = our.position, max(time, our.recorded_at)
            expected, found = _form(our, time), _form(their, their.recorded_at)
            if expected != found:
                raise LogsDiffer(number, _difference(our, time, their))
            digest.update(found)
            if number % PROGRESS_EVENTS == 0:
                progress(position)
    return Agreement(number, digest.hexdigest(), position, time)


async def copy(
    source: EventStore, target: EventStore, open_import: OpenImport, *, progress: Callable[[str], Progress]
) -> Copied:
    """Brings ``target`` up to the present end of ``source``. ``open_import`` writes to the target.

    ``progress`` is told each stage's name. Raises LogsDiffer, UnreadableEvent, HistoryRefused, EventStoreUnavailable.
    """
    until = await source.head()
    before = await compare(source, target, until=until, progress=progress("Comparing"))
    told = progress("Copying")
    events = _events(source, before.position, until)
    async with aclosing(events):
        async for chunk in _chunks(events, before.time, CHUNK_EVENTS):
            async with open_import() as importing:
                await importing.write(each for each, _ in chunk)
            told(chunk[-1][1])
    after = await compare(source, target, until=until, progress=progress("Verifying"))
    if after.position != until:
        raise LogsDiffer(after.events + 1, "the target ends there, and the source goes on")
    return Copied(after.events, after.events - before.events, after.digest)


async def _events(store: EventStore, after: int, until: int | None) -> AsyncGenerator[RecordedEvent, None]:
    async for batch in store.read_all(after=after, until=until):
        for event in batch:
            yield event


async def _chunks(
    events: AsyncIterator[RecordedEvent], time: datetime, size: int
) -> AsyncIterator[list[tuple[DatedEvent, int]]]:
    """Lists of about ``size`` events with their positions, cut between appends."""
    chunk: list[tuple[DatedEvent, int]] = []
    async for event in events:
        time = max(time, event.recorded_at)
        dated = DatedEvent(event.stream, event.version, NewEvent(event.event_id, event.event, event.metadata), time)
        if len(chunk) >= size and not were_one_append(chunk[-1][0], dated):
            yield chunk
            chunk = []
        chunk.append((dated, event.position))
    if chunk:
        yield chunk


def _form(event: RecordedEvent, time: datetime) -> bytes:
    """Everything of an event but its position. The schema version is that of today's form in both logs."""
    metadata = msgspec.structs.replace(event.metadata, schema_version=1)
    return msgspec.json.encode([event.stream, event.version, event.event_id, event.event, metadata, time])


def _difference(our: RecordedEvent, time: datetime, their: RecordedEvent) -> str:
    if (our.stream, our.version, our.event_id) != (their.stream, their.version, their.event_id):
        return f"the source has {_name(our)}, the target {_name(their)}"
    if time != their.recorded_at:
        return f"{_name(our)} was recorded at {time.isoformat()}, in the target at {their.recorded_at.isoformat()}"
    return f"{_name(our)} has other content in the target"


def _name(event: RecordedEvent) -> str:
    return f"{event.type} {event.event_id} ({event.stream}, version {event.version})"
