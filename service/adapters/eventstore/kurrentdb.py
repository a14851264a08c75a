"""The event store in KurrentDB (the database that EventStoreDB was renamed to), 25.1 or newer.

Appends are in kurrentdb_writer, single streams in kurrentdb_streams, the log as a whole in kurrentdb_tail. What
follows from KurrentDB's own nature is said in docs/kurrentdb.md: positions are offsets in bytes and have gaps, and
times are those of the leader's clock, which another leader may set back by as much as the nodes' clocks differ.

The store has no index of types that it counts and none of times, so totals go through the log once and are kept, and
a moment is looked for backwards from the nearest place that is known to lie after it (kurrentdb_moments).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Self

import kurrentdbclient as kdb
import structlog

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb_backwards import BackwardsReader
from service.adapters.eventstore.kurrentdb_client import KurrentClient, SubscriptionClients
from service.adapters.eventstore.kurrentdb_connection import connected, told_as_unavailable
from service.adapters.eventstore.kurrentdb_moments import Moments
from service.adapters.eventstore.kurrentdb_records import EVERYTHING, to_stored, types_pattern
from service.adapters.eventstore.kurrentdb_streams import StreamReader
from service.adapters.eventstore.kurrentdb_tail import LogTail
from service.adapters.eventstore.kurrentdb_totals import Totals
from service.adapters.eventstore.kurrentdb_writer import KurrentWriter
from service.adapters.eventstore.validation import check_limit, check_writes
from service.ports.event_store import Batch, EventStoreUnavailable, StreamWrite, SubscriptionBatch, TypeTotals

_log = structlog.get_logger(__name__)

_FIRST_BACKOFF_SECONDS = 0.1
_MAX_BACKOFF_SECONDS = 2.0
_MOST_READ_TRIES = 3


class KurrentEventStore:
    """Made by ``open``: ``async with KurrentEventStore.open("kurrentdb://...") as store``."""

    def __init__(self, client: KurrentClient, subscriptions: SubscriptionClients, codec: EventCodec) -> None:
        self._codec = codec
        self._subscriptions = subscriptions
        moments = Moments()
        self._backwards = BackwardsReader(client, moments)
        self._tail = LogTail(subscriptions, self._backwards, moments)
        self._streams = StreamReader(client)
        self._writer = KurrentWriter(client, self._streams, codec)
        self._totals = Totals(self._tail)
        self._closed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, uri: str, *, codec: EventCodec | None = None) -> AsyncIterator[Self]:
        """``uri``: KurrentDB's connection string. Raises EventStoreUnavailable, ServerTooOld."""
        async with connected(uri) as client:
            store = cls(client, SubscriptionClients(uri), codec or EventCodec())
            try:
                yield store
            finally:
                await store.close()

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        check_writes(writes)
        return await self._writer.append(writes)

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        return [
            self._codec.decode(to_stored(each)) for each in await self._streams.read(stream, after_version, limit)
        ]

    async def read_streams(self, streams: Collection[str], *, until: int | None = None, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        return [
            self._codec.decode(to_stored(each))
            for each in await self._streams.read_many(streams, limit)
            if until is None or each.commit_position <= until
        ]

    async def read_all(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        types: Collection[str] | None = None,
        batch_size: int = 1000,
    ) -> AsyncIterator[Batch]:
        check_limit("batch_size", batch_size)
        head = await self.head()
        end = head if until is None else min(until, head)
        if types is not None and not types:
            return
        pattern = EVERYTHING if types is None else types_pattern(types)
        tries = 0
        while after < end:
            try:
                async with aclosing(self._tail.batches(after, pattern, batch_size)) as batches:
                    async for found in batches:
                        rows = [to_stored(each) for each in found.records if each.commit_position <= end]
                        decoded = self._codec.decode_all(rows)
                        if decoded.events:
                            yield decoded.events
                        if decoded.unreadable is not None:
                            raise decoded.unreadable
                        tries = 0 if found.position > after else tries
                        after = end if found.caught_up else max(after, found.position)
                        if after >= end:
                            break
            except EventStoreUnavailable:
                tries += 1
                if tries == _MOST_READ_TRIES:
                    raise
                await asyncio.sleep(_FIRST_BACKOFF_SECONDS * 2**tries)

    async def subscribe(
        self, *, after: int = 0, types: Collection[str] | None = None, batch_size: int = 1000
    ) -> AsyncIterator[SubscriptionBatch]:
        check_limit("batch_size", batch_size)
        backoff_seconds = _FIRST_BACKOFF_SECONDS
        # The server picks out types while it catches up. A live subscription gets every event: how far it has
        # looked must be known at once, and the server tells it of filtered ones only now and then.
        picking = bool(types)
        while not self._closed.is_set():
            pattern = types_pattern(types) if picking and types else EVERYTHING
            try:
                async with aclosing(self._tail.batches(after, pattern, batch_size)) as batches:
                    async for found in batches:
                        backoff_seconds = _FIRST_BACKOFF_SECONDS
                        rows = [to_stored(each) for each in found.records if types is None or each.type in types]
                        decoded = self._codec.decode_all(rows)
                        reached = found.position
                        if decoded.unreadable is not None:
                            reached = _last_before(found.records, decoded.unreadable.position, after)
                        if reached > after:
                            after = reached
                            yield SubscriptionBatch(decoded.events, reached)
                        if decoded.unreadable is not None:
                            raise decoded.unreadable
                        if picking and found.caught_up:
                            picking = False
                            break
            except EventStoreUnavailable as error:
                if self._closed.is_set():
                    return
                _log.warning(
                    "subscription_interrupted", after=after, why=str(error), retry_in_seconds=backoff_seconds
                )
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(2 * backoff_seconds, _MAX_BACKOFF_SECONDS)

    async def head(self) -> int:
        return await self._backwards.head()

    async def position_at(self, time: datetime) -> int:
        return await self._backwards.last_at(time)

    async def count_by_type(self) -> Sequence[TypeTotals]:
        return await self._totals.count(await self.head())

    async def close(self) -> None:
        """Lets appends end (bounded) and ends the subscriptions."""
        self._closed.set()
        await self._writer.close()
        with told_as_unavailable("KurrentDB's connections cannot be closed"):
            await self._subscriptions.close()


def _last_before(records: Sequence[kdb.RecordedEvent], position: int, otherwise: int) -> int:
    """The position of the last of these records before a position."""
    return max((each.commit_position for each in records if each.commit_position < position), default=otherwise)
