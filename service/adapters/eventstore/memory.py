"""The event store in memory: the same contract, for tests and simulations.

It is a verified fake: events go through the codec, so what could not be stored cannot be "stored" here either,
and the contract suite holds it to the same behaviour as the real stores.

Nothing in it depends on time or chance: the clock is passed in, wake-ups are the loop's own, and an append is
one synchronous step between two points at which a simulated loop may run others, or crash the caller: before it
(the append never happened) and after it (it happened and the answer was lost).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from service.adapters.eventstore.codec import EncodedEvent, EventCodec, StoredEvent
from service.adapters.eventstore.validation import check_limit, check_writes
from service.ports.event_store import Batch, StreamWrite, SubscriptionBatch, TypeTotals, VersionConflict


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryEventStore:
    def __init__(self, *, now: Callable[[], datetime] = _utc_now, codec: EventCodec | None = None) -> None:
        """``now`` gives ``recorded_at``: timezone-aware, UTC."""
        self._now = now
        self._codec = codec or EventCodec()
        self._log: list[StoredEvent] = []
        self._streams: dict[str, list[StoredEvent]] = {}
        self._positions: dict[UUID, int] = {}
        self._changed = asyncio.Event()
        self._closed = False

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        check_writes(writes)
        encoded = [[self._codec.encode(new) for new in write.events] for write in writes]
        await asyncio.sleep(0)
        repeated = self._repeated(writes)
        if repeated is not None:
            return repeated
        self._check_versions(writes)
        for write, events in zip(writes, encoded, strict=True):
            self._write(write.stream, events)
        position = len(self._log)
        self._wake()
        await asyncio.sleep(0)
        return position

    def _repeated(self, writes: Sequence[StreamWrite]) -> int | None:
        """The position of an append that is already there. Raises VersionConflict if it is there in part."""
        ids = [new.event_id for write in writes for new in write.events]
        known = [self._positions[each] for each in ids if each in self._positions]
        if len(known) == len(ids):
            return max(known)
        if known:
            write = next(each for each in writes if any(new.event_id in self._positions for new in each.events))
            raise VersionConflict(write.stream, write.expected_version, self._version(write.stream))
        return None

    def _check_versions(self, writes: Sequence[StreamWrite]) -> None:
        for write in writes:
            if (actual := self._version(write.stream)) != write.expected_version:
                raise VersionConflict(write.stream, write.expected_version, actual)

    def _version(self, stream: str) -> int:
        return len(self._streams.get(stream, ()))

    def _write(self, stream: str, events: Sequence[EncodedEvent]) -> None:
        rows = self._streams.setdefault(stream, [])
        # Times follow positions, also when the clock is set back.
        recorded_at = max(self._now(), self._log[-1].recorded_at) if self._log else self._now()
        for each in events:
            row = StoredEvent(
                len(self._log) + 1,
                stream,
                len(rows) + 1,
                each.event_id,
                each.type,
                each.data,
                each.metadata,
                recorded_at,
            )
            self._log.append(row)
            rows.append(row)
            self._positions[each.event_id] = row.position

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        await asyncio.sleep(0)
        rows = self._streams.get(stream, [])[after_version : after_version + limit]
        return [self._codec.decode(row) for row in rows]

    async def read_streams(self, streams: Collection[str], *, until: int | None = None, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        await asyncio.sleep(0)
        end = len(self._log) if until is None else until
        rows = [row for each in set(streams) for row in self._streams.get(each, [])[:limit] if row.position <= end]
        return [self._codec.decode(row) for row in sorted(rows, key=lambda row: row.position)]

    async def read_all(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        types: Collection[str] | None = None,
        batch_size: int = 1000,
    ) -> AsyncIterator[Batch]:
        check_limit("batch_size", batch_size)
        await asyncio.sleep(0)
        end = len(self._log) if until is None else min(until, len(self._log))
        while after < end:
            rows, after = self._scan(after, end, types, batch_size)
            decoded = self._codec.decode_all(rows)
            if decoded.events:
                yield decoded.events
            if decoded.unreadable is not None:
                raise decoded.unreadable
            await asyncio.sleep(0)

    async def subscribe(
        self, *, after: int = 0, types: Collection[str] | None = None, batch_size: int = 1000
    ) -> AsyncIterator[SubscriptionBatch]:
        check_limit("batch_size", batch_size)
        while not self._closed:
            if after >= len(self._log):
                await self._changed.wait()
                continue
            rows, reached = self._scan(after, len(self._log), types, batch_size)
            decoded = self._codec.decode_all(rows)
            if decoded.unreadable is not None:
                reached = decoded.unreadable.position - 1
            if reached > after:
                after = reached
                yield SubscriptionBatch(decoded.events, reached)
            if decoded.unreadable is not None:
                raise decoded.unreadable
            await asyncio.sleep(0)

    def _scan(
        self, after: int, end: int, types: Collection[str] | None, batch_size: int
    ) -> tuple[list[StoredEvent], int]:
        """Up to ``batch_size`` rows of the types in (after, end], and how far was looked."""
        rows: list[StoredEvent] = []
        for index in range(after, end):
            row = self._log[index]
            if types is None or row.type in types:
                rows.append(row)
                if len(rows) == batch_size:
                    return rows, row.position
        return rows, end

    async def head(self) -> int:
        await asyncio.sleep(0)
        return len(self._log)

    async def position_at(self, time: datetime) -> int:
        await asyncio.sleep(0)
        return bisect_right(self._log, time, key=lambda row: row.recorded_at)

    async def count_by_type(self) -> Sequence[TypeTotals]:
        await asyncio.sleep(0)
        found: dict[str, list[datetime]] = {}
        for row in self._log:
            found.setdefault(row.type, []).append(row.recorded_at)
        return [TypeTotals(name, len(times), times[0], times[-1]) for name, times in sorted(found.items())]

    async def close(self) -> None:
        """Ends the subscriptions. What was written stays readable."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        # Whoever waits holds the old event; whoever comes later looks at the log before it waits.
        self._changed.set()
        self._changed = asyncio.Event()
