"""Taking a history into KurrentDB. Its server says when an event was recorded, so the times that events bring stand
in their metadata, where every reader of ours looks first.

There is no transaction over a whole history. It is written in appends of whole groups: events that follow each other,
were recorded at the same time and have the same metadata were one append, and stay in one. Groups are joined while no
stream comes up again, because an append takes the events of a stream together and the log's order has to stay.

What is broken off stays in the log; the same history written again is recognised by its ids, and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import kurrentdbclient as kdb
from kurrentdbclient import AsyncKurrentDBClient
from kurrentdbclient.exceptions import WrongCurrentVersionError

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb_connection import CALL_TIMEOUT_SECONDS, connected, told_as_unavailable
from service.adapters.eventstore.kurrentdb_records import to_record
from service.ports.event_store import EventStoreUnavailable
from service.ports.history_import import DatedEvent, HistoryRefused, were_one_append

_MOST_EVENTS = 500
_MOST_TRIES = 5


class KurrentHistoryImport:
    """``service.ports.history_import.HistoryImport``; made by ``open``, complete when that is left without error."""

    def __init__(self, client: AsyncKurrentDBClient, codec: EventCodec) -> None:
        self._client = client
        self._codec = codec
        self._group: list[DatedEvent] = []
        self._append = PendingAppend()
        self._last: DatedEvent | None = None
        self.position = 0
        """Of the last event written."""

    @classmethod
    @asynccontextmanager
    async def open(cls, uri: str, *, codec: EventCodec | None = None) -> AsyncIterator[KurrentHistoryImport]:
        """``uri``: KurrentDB's connection string. Raises EventStoreUnavailable, ServerTooOld, HistoryRefused."""
        async with connected(uri) as client:
            importing = cls(client, codec or EventCodec())
            yield importing
            await importing.end()

    async def write(self, events: Iterable[DatedEvent]) -> None:
        for event in events:
            if self._last is not None and event.recorded_at < self._last.recorded_at:
                raise HistoryRefused(
                    f"{event.stream}, version {event.version}: recorded at {event.recorded_at.isoformat()}, which is "
                    f"earlier than the event before it ({self._last.recorded_at.isoformat()}); times never go back"
                )
            if self._group and not were_one_append(self._group[-1], event):
                await self._join()
            self._group.append(event)
            self._last = event

    async def end(self) -> None:
        """Writes what is left."""
        await self._join()
        await self._send()

    async def _join(self) -> None:
        """The group joins the append, or begins the next one."""
        group, self._group = self._group, []
        if not self._append.has_room_for(group):
            await self._send()
        for event in group:
            if not self._append.keeps_order([event]):  # several appends at one moment, and a stream in two of them
                await self._send()
            self._append.add(event)

    async def _send(self) -> None:
        append, self._append = self._append, PendingAppend()
        if not append.streams:
            return
        requests = [
            kdb.NewEvents(
                stream_name=events[0].stream,
                events=tuple(to_record(self._codec.encode(each.new), each.recorded_at) for each in events),
                current_version=events[0].version - 2 if events[0].version > 1 else kdb.StreamState.NO_STREAM,
            )
            for events in append.streams.values()
        ]
        for attempt in range(1, _MOST_TRIES + 1):
            try:
                with told_as_unavailable("KurrentDB did not take the history"):
                    self.position = await self._append_once(requests)
                return
            except EventStoreUnavailable:
                if attempt == _MOST_TRIES:
                    raise
                await asyncio.sleep(0.1 * 2**attempt)

    async def _append_once(self, requests: list[kdb.NewEvents]) -> int:
        try:
            return await self._client.multi_append_to_stream(requests, timeout=CALL_TIMEOUT_SECONDS)
        except WrongCurrentVersionError as error:
            raise HistoryRefused(
                f"{error.stream_name}: its versions do not go on where it ends in the log"
            ) from error


class PendingAppend:
    """Events that can be written with one append without changing their order."""

    def __init__(self, most_events: int = _MOST_EVENTS) -> None:
        self.streams: dict[str, list[DatedEvent]] = {}
        """By stream, in order."""
        self._most_events = most_events
        self._count = 0

    def has_room_for(self, events: Sequence[DatedEvent]) -> bool:
        return self._count + len(events) <= self._most_events and self.keeps_order(events)

    def keeps_order(self, events: Sequence[DatedEvent]) -> bool:
        """Whether no stream comes up again after another one. The server takes names that differ only in upper and
        lower case for the same."""
        last = next(reversed(self.streams), None)
        seen = {name.lower() for name in self.streams}
        for event in events:
            if event.stream == last:
                continue
            if event.stream.lower() in seen:
                return False
            last = event.stream
            seen.add(last.lower())
        return True

    def add(self, event: DatedEvent) -> None:
        self.streams.setdefault(event.stream, []).append(event)
        self._count += 1
