"""Appending to KurrentDB: every append is one call that writes to all of its streams or to none.

What makes a repeat the same append:

- At the versions at which it was first tried, the server compares the event ids with those in the log, also after a
  restart and after later appends. So an append whose answer was lost is simply sent again.
- At other versions the server would write the events a second time. So the places at which this process tried to
  write an event are remembered, and looked at before the same event is written anywhere else.
- Repeats at the same moment take turns: the server drops a repeat of an append that is not yet replicated.

Appends to one stream take turns as well, in the order in which they came; calls on their way may overtake each other.

An answer that says neither yes nor no is settled by reading the places that were to be written.

The client must not be cancelled in the middle of an append (it would send it again, and swallow the cancellation),
so a caller that goes away leaves its append to end by itself, within the time limit of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import kurrentdbclient as kdb
from cachetools import LRUCache
from kurrentdbclient import AsyncKurrentDBClient
from kurrentdbclient.exceptions import (
    InvalidArgumentError,
    KurrentDBClientError,
    MultiAppendToSameStreamError,
    RecordMaxSizeExceededError,
    StreamTombstonedError,
    TransactionMaxSizeExceededError,
    WrongCurrentVersionError,
)

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb_connection import CALL_TIMEOUT_SECONDS, describe, told_as_unavailable
from service.adapters.eventstore.kurrentdb_records import to_record
from service.adapters.eventstore.kurrentdb_streams import StreamReader
from service.ports.event_store import EventStoreUnavailable, StreamWrite, VersionConflict

_REFUSED = (
    InvalidArgumentError,
    MultiAppendToSameStreamError,
    RecordMaxSizeExceededError,
    StreamTombstonedError,
    TransactionMaxSizeExceededError,
)

_CANCEL_SECONDS = 2.0


class _Place(NamedTuple):
    stream: str
    version: int


class KurrentWriter:
    def __init__(
        self,
        client: AsyncKurrentDBClient,
        streams: StreamReader,
        codec: EventCodec,
        *,
        most_at_once: int = 64,
        most_remembered: int = 20_000,
        timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    ) -> None:
        """``most_at_once``: appends on their way to the server; ``most_remembered``: events whose place is kept."""
        self._client = client
        self._streams = streams
        self._codec = codec
        self._timeout_seconds = timeout_seconds
        self._room = asyncio.Semaphore(most_at_once)
        self._tried: LRUCache[UUID, _Place] = LRUCache(most_remembered)
        self._last: dict[str | UUID, asyncio.Task[int]] = {}
        """By stream and by event: the append that has to end before the next one on it begins."""
        self._tasks: set[asyncio.Task[int]] = set()
        self._closing = False

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        if self._closing:
            raise EventStoreUnavailable("the event store is closed")
        task = asyncio.create_task(self._append_in_turn(writes), name="kurrentdb-append")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self, *, timeout_seconds: float = 10) -> None:
        """Lets appends end, for at most ``timeout_seconds``. Refuses new ones."""
        self._closing = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_seconds)
            if late:  # The client may take its time to notice.
                for task in late:
                    task.cancel()
                await asyncio.wait(late, timeout=_CANCEL_SECONDS)

    def _ended(self, task: asyncio.Task[int]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # It may be that nobody waits for it any more.

    async def _append_in_turn(self, writes: Sequence[StreamWrite]) -> int:
        task: asyncio.Task[int] = asyncio.current_task()  # type: ignore[assignment]
        keys: list[str | UUID] = [new.event_id for write in writes for new in write.events]
        keys += [write.stream for write in writes]
        earlier = {self._last[key] for key in keys if key in self._last}
        self._last.update(dict.fromkeys(keys, task))
        try:
            if earlier:
                await asyncio.wait(earlier)
            async with self._room:
                return await self._append(writes)
        finally:
            for key in keys:
                if self._last[key] is task:
                    del self._last[key]

    async def _append(self, writes: Sequence[StreamWrite]) -> int:
        places = _places(writes)
        if any(self._tried.get(event_id, place) != place for event_id, place in places.items()):
            repeated = await self._written_elsewhere(writes, list(places))
            if repeated is not None:
                return repeated
        self._tried.update(places)
        with told_as_unavailable("KurrentDB did not take the events"):
            try:
                return await self._send(writes)
            except WrongCurrentVersionError as error:
                raise _refused(writes, error) from error
            except _REFUSED as error:
                raise ValueError(f"{writes[0].stream}: KurrentDB refuses the events: {describe(error)}") from error
            except KurrentDBClientError as error:
                if type(error) is not KurrentDBClientError:
                    raise
                # An error that the client has no name for, such as the server's own time limit.
                return await self._settle(writes, error)

    async def _send(self, writes: Sequence[StreamWrite]) -> int:
        requests = [
            kdb.NewEvents(
                stream_name=write.stream,
                events=tuple(to_record(self._codec.encode(new)) for new in write.events),
                current_version=write.expected_version - 1 if write.expected_version else kdb.StreamState.NO_STREAM,
            )
            for write in writes
        ]
        return await self._client.multi_append_to_stream(requests, timeout=self._timeout_seconds)

    async def _written_elsewhere(self, writes: Sequence[StreamWrite], ids: Sequence[UUID]) -> int | None:
        """The position of an append that is already there at other versions, or None if nothing of it is.

        Raises VersionConflict if it is there in part.
        """
        tried = {event_id: self._tried[event_id] for event_id in ids if event_id in self._tried}
        found: dict[UUID, int] = {}
        for stream in sorted({place.stream for place in tried.values()}):
            versions = [place.version for place in tried.values() if place.stream == stream]
            records = await self._streams.read(stream, min(versions) - 1, max(versions) - min(versions) + 1)
            found.update({each.id: each.commit_position for each in records if each.id in tried})
        if not found:
            return None
        if len(found) == len(ids):
            return max(found.values())
        raise await self._conflict(next(each for each in writes if any(new.event_id in found for new in each.events)))

    async def _settle(self, writes: Sequence[StreamWrite], error: KurrentDBClientError) -> int:
        """What became of an append, by what stands in its places. Raises VersionConflict, EventStoreUnavailable."""
        positions: dict[str, int] = {}
        for write in writes:
            records = await self._streams.read(write.stream, write.expected_version, len(write.events))
            if [each.id for each in records] == [new.event_id for new in write.events]:
                positions[write.stream] = records[-1].commit_position
            elif records or await self._streams.version(write.stream) != write.expected_version:
                raise await self._conflict(write) from error
        if len(positions) == len(writes):
            return max(positions.values())
        if positions:  # A part of it was there already, from another append.
            raise await self._conflict(next(each for each in writes if each.stream in positions)) from error
        raise EventStoreUnavailable(f"KurrentDB did not take the events: {describe(error)}") from error

    async def _conflict(self, write: StreamWrite) -> VersionConflict:
        return VersionConflict(write.stream, write.expected_version, await self._streams.version(write.stream))


def _places(writes: Sequence[StreamWrite]) -> dict[UUID, _Place]:
    return {
        new.event_id: _Place(write.stream, write.expected_version + number)
        for write in writes
        for number, new in enumerate(write.events, 1)
    }


def _refused(writes: Sequence[StreamWrite], error: WrongCurrentVersionError) -> VersionConflict:
    write = next((each for each in writes if each.stream == error.stream_name), writes[0])
    actual = error.actual_version + 1 if isinstance(error.actual_version, int) else 0
    return VersionConflict(write.stream, write.expected_version, actual)
