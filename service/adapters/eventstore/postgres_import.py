"""Taking a whole history into the log of PostgreSQL, with its own times: one COPY, one transaction.

Until it commits nobody sees anything of it, and an import that is broken off leaves nothing behind. It holds the
same lock as appends, so positions stay in the order of commits; appends to the same log wait that long, and those
that wait too long fail as they do whenever the store is away.

What a running log guarantees is checked before the commit: versions without gaps, times that never go back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
from psycopg import AsyncCopy, errors

from service.adapters.eventstore.codec import EventCodec
from service.adapters.postgres.pool import Connection, connect, describe
from service.ports.event_store import EventStoreUnavailable
from service.ports.history_import import DatedEvent, HistoryRefused

_LOCK = "SELECT pg_advisory_xact_lock(8101814132998149)"  # that of triptych.append_events
_END = "SELECT position, recorded_at FROM triptych.events ORDER BY position DESC LIMIT 1"
_COPY = """
COPY triptych.events (position, stream, version, event_id, type, data, metadata, recorded_at) FROM STDIN
"""
# Versions go on where the stream ended before; the unique index has seen to it that none stands twice.
_GAPS = """
SELECT stream FROM (
    SELECT stream, count(*) AS count, min(version) AS first, max(version) AS last
    FROM triptych.events WHERE position > %(base)s GROUP BY stream
) AS added
WHERE last - first + 1 <> count
   OR first - 1 <> coalesce((
       SELECT max(version) FROM triptych.events AS e WHERE e.stream = added.stream AND e.position <= %(base)s), 0)
ORDER BY stream LIMIT 1
"""
_LONGEST_SECONDS = 6 * 3600.0


class PostgresHistoryImport:
    """``service.ports.history_import.HistoryImport``; made by ``open``, committed when that is left without error."""

    def __init__(self, copy: AsyncCopy, codec: EventCodec, base: int, not_before: datetime | None) -> None:
        self._copy = copy
        self._codec = codec
        self.position = base
        """Of the last event written."""
        self._time = not_before or datetime.min.replace(tzinfo=UTC)

    @classmethod
    @asynccontextmanager
    async def open(cls, conninfo: str, *, codec: EventCodec | None = None) -> AsyncIterator[PostgresHistoryImport]:
        """``conninfo``: libpq's connection string of a migrated database. Raises HistoryRefused,
        EventStoreUnavailable."""
        try:
            async with await connect(
                conninfo, application_name="triptych-import", statement_timeout_seconds=_LONGEST_SECONDS
            ) as connection:
                async with connection.transaction():
                    await connection.execute(_LOCK)
                    end = await (await connection.execute(_END)).fetchone()
                    base, last_time = end or (0, None)
                    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                        yield cls(copy, codec or EventCodec(), base, last_time)
                    await _check_versions(connection, base)
                # Planners and index-only scans need to know what came in at once.
                await connection.execute("VACUUM (ANALYZE) triptych.events")
        except errors.UniqueViolation as error:
            raise HistoryRefused(f"the log holds a part of this history already: {describe(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
            raise EventStoreUnavailable(f"PostgreSQL did not take the history: {describe(error)}") from error

    async def write(self, events: Iterable[DatedEvent]) -> None:
        for stream, version, new, recorded_at in events:
            if recorded_at < self._time:
                raise HistoryRefused(
                    f"{stream}, version {version}: recorded at {recorded_at.isoformat()}, which is earlier than "
                    f"the event before it ({self._time.isoformat()}); a log's times never go back"
                )
            self._time = recorded_at
            self.position += 1
            encoded = self._codec.encode(new)
            await self._copy.write_row(
                (
                    self.position,
                    stream,
                    version,
                    encoded.event_id,
                    encoded.type,
                    encoded.data.decode(),
                    encoded.metadata.decode(),
                    recorded_at,
                )
            )


async def _check_versions(connection: Connection, base: int) -> None:
    row = await (await connection.execute(_GAPS, {"base": base})).fetchone()
    if row is not None:
        raise HistoryRefused(f"{row[0]}: its versions have gaps, or do not go on where the stream ends in the log")
