"""Whether the read models and the log belong together.

Read models know how far they have read by a position, and a position means something in one log only. So an event of
that log is kept with them (its stream, version, id and position). A service that is pointed at another log, such as a
copy in KurrentDB or an older backup, does not find that event where it stood, and refuses to mix the two.
"""

from __future__ import annotations

from uuid import UUID

import psycopg
import structlog

from service.adapters.postgres.pool import Connection, Pool
from service.ports.event_store import EventStore, RecordedEvent, UnreadableEvent

_log = structlog.get_logger(__name__)

_LOAD = "SELECT stream, version, event_id, position FROM read.log_anchor"
_REACHED = "SELECT coalesce(max(position), 0) FROM read.projections WHERE state <> 'retired'"
_KEEP = """
INSERT INTO read.log_anchor (stream, version, event_id, position) VALUES (%s, %s, %s, %s)
ON CONFLICT (only_one) DO UPDATE SET
    stream = excluded.stream, version = excluded.version, event_id = excluded.event_id,
    position = excluded.position, note_time = now()
WHERE log_anchor.position < excluded.position
"""


class OtherLog(Exception):
    """The read models were built from another log than this one. The message says what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the read models were built from another log than the event store's: {why}. Either point the service at "
            "the store they were built from, or build them anew from this one with 'triptychd projections reset'"
        )


async def check_anchor(connection: Connection, store: EventStore) -> RecordedEvent | None:
    """The log's last event (None if there is none, or none that can be read), to be kept for the next time.

    Raises OtherLog, EventStoreUnavailable, psycopg.Error.
    """
    kept = await (await connection.execute(_LOAD)).fetchone()
    row = await (await connection.execute(_REACHED)).fetchone()
    reached: int = row[0] if row is not None else 0
    head = await store.head()  # After what was reached, for others may go on in the meantime.
    if kept is not None:
        await _check_stands(store, *kept)
    if reached > head:
        raise OtherLog(f"they have seen position {reached}, and it ends at {head}")
    if kept is None and reached and not await _stands_at(store, reached):
        raise OtherLog(f"they have seen position {reached}, where it has no event")
    last = await _stands_at(store, head)
    return last if isinstance(last, RecordedEvent) else None


async def keep_first_anchor(pool: Pool, store: EventStore) -> None:
    """Waits for the first event of an empty log, and keeps it. Ends then."""
    try:
        async for batch in store.subscribe():
            if batch.events:
                async with pool.connection() as connection:
                    await keep_anchor(connection, batch.events[-1])
                return
    except (psycopg.Error, OSError, UnreadableEvent) as error:  # The next start sees to it.
        _log.warning("log_anchor_not_kept", why=str(error))


async def keep_anchor(connection: Connection, event: RecordedEvent) -> None:
    await connection.execute(_KEEP, (event.stream, event.version, event.event_id, event.position))


async def _check_stands(store: EventStore, stream: str, version: int, event_id: UUID, position: int) -> None:
    where = f"{stream}, version {version}"
    try:
        found = await store.read_stream(stream, after_version=version - 1, limit=1)
    except UnreadableEvent as unreadable:  # It is there, and a newer program wrote it.
        stands_at = unreadable.position
    else:
        if not found or found[0].event_id != event_id:
            raise OtherLog(f"it does not have the event {event_id} ({where})")
        stands_at = found[0].position
    if stands_at != position:
        raise OtherLog(f"the event {event_id} ({where}) stands at position {stands_at} in it, not at {position}")


async def _stands_at(store: EventStore, position: int) -> RecordedEvent | bool:
    """The event at this position; or only whether there is one, if it cannot be read."""
    if position == 0:
        return False
    try:
        async for batch in store.read_all(after=position - 1, until=position):
            return batch[-1]
    except UnreadableEvent as unreadable:
        return unreadable.position == position
    return False
