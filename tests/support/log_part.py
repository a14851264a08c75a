"""A log that begins now, on a store that holds a longer one: for tests on a server that cannot be emptied.

Streams get a name of their own, and what lies before the beginning is not there. Positions and times are the store's.
Nobody else may write to the store meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

import msgspec

from service.ports.event_store import (
    Batch,
    EventStore,
    RecordedEvent,
    StreamWrite,
    SubscriptionBatch,
    TypeTotals,
    UnreadableEvent,
    VersionConflict,
)

_MAX_NAME_CHARACTERS = 400


class LogPart:
    """Made by ``LogPart.begin(store)``; ``part.through(other)`` is the same part through another store object."""

    def __init__(self, store: EventStore, beginning: int, names: StreamNames, before: Before | None) -> None:
        self._store = store
        self._beginning = beginning
        self._names = names
        self._before = before

    @classmethod
    async def begin(cls, store: EventStore, *, counting: EventStore | None = None) -> LogPart:
        """``counting``: a store that can read every type, where the part is to be counted; that takes going through
        the whole log."""
        before = None if counting is None else Before(counting, await counting.count_by_type())
        return cls(store, await store.head(), StreamNames(), before)

    def through(self, store: EventStore) -> LogPart:
        return LogPart(store, self._beginning, self._names, self._before)

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        renamed = [
            StreamWrite(self._names.outside(each.stream), each.expected_version, each.events) for each in writes
        ]
        with self._errors():
            return await self._store.append(renamed)

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        with self._errors():
            found = await self._store.read_stream(
                self._names.outside(stream), after_version=after_version, limit=limit
            )
        return self._inside(found)

    async def read_streams(self, streams: Collection[str], *, until: int | None = None, limit: int = 1000) -> Batch:
        renamed = [self._names.outside(each) for each in streams]
        with self._errors():
            return self._inside(await self._store.read_streams(renamed, until=until, limit=limit))

    async def read_all(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        types: Collection[str] | None = None,
        batch_size: int = 1000,
    ) -> AsyncIterator[Batch]:
        after = max(after, self._beginning)
        with self._errors():
            async for batch in self._store.read_all(after=after, until=until, types=types, batch_size=batch_size):
                yield self._inside(batch)

    async def subscribe(
        self, *, after: int = 0, types: Collection[str] | None = None, batch_size: int = 1000
    ) -> AsyncIterator[SubscriptionBatch]:
        after = max(after, self._beginning)
        with self._errors():
            async for batch in self._store.subscribe(after=after, types=types, batch_size=batch_size):
                yield SubscriptionBatch(tuple(self._inside(batch.events)), batch.position)

    async def head(self) -> int:
        return self._from_beginning(await self._store.head())

    async def position_at(self, time: datetime) -> int:
        return self._from_beginning(await self._store.position_at(time))

    async def count_by_type(self) -> Sequence[TypeTotals]:
        """What the store counts more than at the beginning."""
        assert self._before is not None, "begin(counting=...)"
        return await self._before.more(await self._store.count_by_type(), self._beginning)

    def _from_beginning(self, position: int) -> int:
        return position if position > self._beginning else 0

    def _inside(self, events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
        return [msgspec.structs.replace(each, stream=self._names.inside(each.stream)) for each in events]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (VersionConflict, UnreadableEvent) as error:
            error.stream = self._names.inside(error.stream)
            raise


class Before:
    """What there was of each type when a part began."""

    def __init__(self, store: EventStore, totals: Sequence[TypeTotals]) -> None:
        self._store = store
        self._totals = {each.type: each for each in totals}

    async def more(self, totals: Sequence[TypeTotals], beginning: int) -> list[TypeTotals]:
        """``totals`` without what there was. Fails where they do not include it."""
        now = {each.type: each for each in totals}
        found = []
        for name in now | self._totals:
            total, before = now[name], self._totals.get(name)
            if before is None:
                found.append(total)
                continue
            assert (total.first_at, total.count >= before.count) == (before.first_at, True), f"{name} was forgotten"
            if total.count > before.count:
                first_at = await self._first_at(name, beginning)
                found.append(TypeTotals(name, total.count - before.count, first_at, total.last_at))
        return found

    async def _first_at(self, name: str, beginning: int) -> datetime:
        return (await anext(self._store.read_all(after=beginning, types=[name], batch_size=1)))[0].recorded_at


class StreamNames:
    """A stream's name for the test (inside) and for the store (outside), which no other part has."""

    def __init__(self) -> None:
        self._prefix = f"{uuid4().hex[:12]}-"
        self._inside: dict[str, str] = {}

    def outside(self, name: str) -> str:
        """As valid as ``name``: the empty one stays empty, one that fills the limit does not exceed it."""
        if not name:
            return name
        room = _MAX_NAME_CHARACTERS - len(name)
        outside = self._prefix + name[max(0, len(self._prefix) - max(room, 0)) :]
        self._inside[outside] = name
        return outside

    def inside(self, outside: str) -> str:
        return self._inside[outside]
