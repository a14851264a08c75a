"""The event store in PostgreSQL.

Appends go through one group committer (postgres_writer), reads through a small pool (postgres_reader), wake-ups
over two connections of their own (postgres_wakeups). The schema is migrations/events.

Connections an instance: the pool's ``max_readers``, a writer, a notifier and a listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Self

import psycopg
import structlog

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.postgres_reader import END_OF_LOG, READER_SETTINGS, LogReader
from service.adapters.eventstore.postgres_wakeups import Bell, Wakeups, wait_for_ring
from service.adapters.eventstore.postgres_writer import GroupCommitter
from service.adapters.eventstore.validation import check_limit, check_writes
from service.adapters.postgres.pool import Pool, connect, describe, make_pool
from service.ports.event_store import Batch, EventStoreUnavailable, StreamWrite, SubscriptionBatch, TypeTotals

_log = structlog.get_logger(__name__)

_FIRST_BACKOFF_SECONDS = 0.1
_MAX_BACKOFF_SECONDS = 2.0


class EventLogMissing(Exception):
    """The database has no event log (yet), or one of an older release."""

    def __init__(self) -> None:
        super().__init__("the database has no event log of this release; run 'triptychd migrate' on it first")


class PostgresEventStore:
    """Made by ``open``: ``async with PostgresEventStore.open(conninfo) as store``."""

    def __init__(
        self,
        pool: Pool,
        writer: GroupCommitter,
        wakeups: Wakeups,
        bell: Bell,
        codec: EventCodec,
        *,
        poll_seconds: float,
    ) -> None:
        self._pool = pool
        self._reader = LogReader(pool)
        self._writer = writer
        self._wakeups = wakeups
        self._bell = bell
        self._codec = codec
        self._poll_seconds = poll_seconds
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        conninfo: str,
        *,
        codec: EventCodec | None = None,
        max_readers: int = 4,
        poll_seconds: float = 0.5,
        max_batch_events: int = 1000,
        max_waiting: int = 10_000,
        statement_timeout_seconds: float = 15,
    ) -> AsyncIterator[Self]:
        """``conninfo``: libpq's connection string of a migrated database.

        ``poll_seconds``: how long a subscriber is behind at most when wake-ups are lost. ``max_batch_events``,
        ``max_waiting``: bounds of the group commit, in events and appends. Raises EventStoreUnavailable,
        EventLogMissing.
        """
        codec = codec or EventCodec()
        pool = make_pool(
            conninfo,
            application_name="triptych-reader",
            max_size=max_readers,
            statement_timeout_seconds=statement_timeout_seconds,
            settings=READER_SETTINGS,
        )
        try:
            await _open_pool(conninfo, pool)
            bell = Bell()
            wakeups = Wakeups(conninfo, bell)
            writer = GroupCommitter(
                conninfo,
                codec=codec,
                on_commit=wakeups.committed,
                max_batch_events=max_batch_events,
                max_waiting=max_waiting,
                statement_timeout_seconds=statement_timeout_seconds,
            )
            store = cls(pool, writer, wakeups, bell, codec, poll_seconds=poll_seconds)
            try:
                yield store
            finally:
                await store.close()
        finally:
            await pool.close()

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        check_writes(writes)
        return await self._writer.append(writes)

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        return [self._codec.decode(row) for row in await self._reader.stream(stream, after_version, limit)]

    async def read_streams(self, streams: Collection[str], *, until: int | None = None, limit: int = 1000) -> Batch:
        check_limit("limit", limit)
        end = END_OF_LOG if until is None else until
        return [self._codec.decode(row) for row in await self._reader.streams(streams, end, limit)]

    async def read_all(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        types: Collection[str] | None = None,
        batch_size: int = 1000,
    ) -> AsyncIterator[Batch]:
        check_limit("batch_size", batch_size)
        end = END_OF_LOG if until is None else until
        while after < end:
            page = await self._reader.page(after, end, types, batch_size)
            end = min(end, page.head)  # of the first page: what is appended while we read is not waited for
            after = page.reached
            decoded = self._codec.decode_all(page.rows)
            if decoded.events:
                yield decoded.events
            if decoded.unreadable is not None:
                raise decoded.unreadable

    async def subscribe(
        self, *, after: int = 0, types: Collection[str] | None = None, batch_size: int = 1000
    ) -> AsyncIterator[SubscriptionBatch]:
        check_limit("batch_size", batch_size)
        backoff_seconds = _FIRST_BACKOFF_SECONDS
        while not self._closed:
            ring = self._bell.next_ring
            try:
                page = await self._reader.page(after, END_OF_LOG, types, batch_size)
            except EventStoreUnavailable as error:
                if self._closed:
                    return
                _log.warning(
                    "subscription_interrupted", after=after, why=str(error), retry_in_seconds=backoff_seconds
                )
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(2 * backoff_seconds, _MAX_BACKOFF_SECONDS)
                continue
            backoff_seconds = _FIRST_BACKOFF_SECONDS
            decoded = self._codec.decode_all(page.rows)
            reached = page.reached if decoded.unreadable is None else decoded.unreadable.position - 1
            if reached > after:
                after = reached
                yield SubscriptionBatch(decoded.events, reached)
            if decoded.unreadable is not None:
                raise decoded.unreadable
            if after >= page.head:
                await wait_for_ring(ring, timeout_seconds=self._poll_seconds)

    async def head(self) -> int:
        return await self._reader.head()

    async def position_at(self, time: datetime) -> int:
        return await self._reader.position_at(time)

    async def count_by_type(self) -> Sequence[TypeTotals]:
        return await self._reader.count_by_type()

    async def close(self) -> None:
        """Writes what waits (bounded), ends the subscriptions and closes every connection."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await self._wakeups.close()
        self._bell.ring()
        await self._pool.close()


async def _open_pool(conninfo: str, pool: Pool) -> None:
    try:
        # One connection by hand first: a pool only says that it could not be filled, and only after a while.
        async with await connect(conninfo, application_name="triptych-reader") as connection:
            cursor = await connection.execute("SELECT to_regproc('triptych.position_at') IS NOT NULL")
            row = await cursor.fetchone()
        await pool.open(wait=True, timeout=15)
    except (psycopg.Error, OSError) as error:
        raise EventStoreUnavailable(f"PostgreSQL cannot be reached: {describe(error)}") from error
    if row is None or not row[0]:
        raise EventLogMissing
