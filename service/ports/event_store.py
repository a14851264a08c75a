"""The event store: append-only streams in one ordered log.

Protocol, the same for every adapter and held by one contract suite:

- A stream's versions count from 1 without gaps; version 0 means "no such stream".
- Positions grow with the log and become visible in order: a reader that has seen position *p* will never
  find something new below it. They are comparable within one store only, and may have gaps.
- ``append`` writes all of its streams or none. Events take positions in the order in which they are given.
- Times follow positions: no event was recorded earlier than one before it, also when the store's clock is set back;
  in a store of several nodes (KurrentDB) as far as their clocks agree when another one begins to lead.
- Repeating an append with the same event ids is the same append: it answers with the first one's position.
- Readers hold no transaction and no lock between batches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from service.domain.events import Event


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an event is there. Ids are free text except where noted."""

    correlation_id: str = ""
    """The business transaction it belongs to: the generation's id where there is one."""
    causation_id: str = ""
    """The command or event that led to it."""
    actor: str = ""
    """The authenticated caller, or the worker, that caused it."""
    traceparent: str = ""
    """W3C trace context of the caller."""
    schema_version: int = 1
    """Version of the event's stored form; set by the codec, older ones are upcast when read."""


class NewEvent(msgspec.Struct, frozen=True):
    """An event to be appended. ``event_id`` makes a repeat recognisable."""

    event_id: UUID
    event: Event
    metadata: Metadata = Metadata()


class StreamWrite(msgspec.Struct, frozen=True):
    """Events for one stream that must be at ``expected_version`` (0: must not exist yet)."""

    stream: str
    expected_version: int
    events: tuple[NewEvent, ...]


class RecordedEvent(msgspec.Struct, frozen=True):
    """An event of the log, in today's form."""

    position: int
    stream: str
    version: int
    event_id: UUID
    event: Event
    metadata: Metadata
    recorded_at: datetime
    """UTC, by the store's clock."""

    @property
    def type(self) -> str:
        """The name under which it is stored."""
        return type(self.event).__name__


class VersionConflict(Exception):
    """A stream was not at the expected version; nothing of the append was written."""

    def __init__(self, stream: str, expected_version: int, actual_version: int | None = None) -> None:
        found = "" if actual_version is None else f", found {actual_version}"
        super().__init__(f"{stream}: expected version {expected_version}{found}")
        self.stream = stream
        self.expected_version = expected_version
        self.actual_version = actual_version


class EventStoreUnavailable(Exception):
    """The store cannot be reached. An append that raised this may or may not have happened:
    repeating it with the same event ids is safe."""


class UnreadableEvent(Exception):
    """A stored event that today's code cannot read. Names where it stands and why."""

    def __init__(self, position: int, stream: str, version: int, why: str) -> None:
        super().__init__(f"event at position {position} ({stream}, version {version}) cannot be read: {why}")
        self.position = position
        self.stream = stream
        self.version = version


Batch = Sequence[RecordedEvent]


class TypeTotals(msgspec.Struct, frozen=True):
    """How many events of a type are in the log, and when the first and the last one were recorded (UTC)."""

    type: str
    count: int
    first_at: datetime
    last_at: datetime


class EventStore(Protocol):
    """See the module's docstring for what every adapter keeps to."""

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        """Appends atomically and returns the position of the last event written.

        Raises VersionConflict, EventStoreUnavailable; ValueError for no events or a stream named twice.
        """
        ...

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        """Up to ``limit`` events of one stream after a version, in order; empty at its end."""
        ...

    async def read_streams(self, streams: Collection[str], *, until: int | None = None, limit: int = 1000) -> Batch:
        """The first ``limit`` events of each of these streams, none after position ``until``, in the log's order.

        All of it is held in memory: the caller bounds how many streams it names.
        """
        ...

    def read_all(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        types: Collection[str] | None = None,
        batch_size: int = 1000,
    ) -> AsyncIterator[Batch]:
        """The log after position ``after``, in batches, up to ``until`` (inclusive) or its present end."""
        ...

    def subscribe(
        self, *, after: int = 0, types: Collection[str] | None = None, batch_size: int = 1000
    ) -> AsyncIterator[SubscriptionBatch]:
        """The log after ``after`` and then what is appended, for ever; ends when it is closed.

        Yields a batch also when only events of other types passed, so that a checkpoint can move on:
        such a batch has no events. Never yields faster than it is asked: a slow reader slows only itself.
        """
        ...

    async def head(self) -> int:
        """The position of the last event, 0 for an empty log."""
        ...

    async def position_at(self, time: datetime) -> int:
        """The position of the last event that was recorded at ``time`` (timezone-aware) or before; 0 for none."""
        ...

    async def count_by_type(self) -> Sequence[TypeTotals]:
        """Totals of every type of which there is an event, by name; also of types that today's code cannot read."""
        ...


class SubscriptionBatch(msgspec.Struct, frozen=True):
    """What a subscription delivers: events, and how far the log has been looked through."""

    events: tuple[RecordedEvent, ...]
    position: int
    """Everything up to here has been delivered or filtered out."""
