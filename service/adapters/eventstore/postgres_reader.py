"""Reading the log: one statement a page, in autocommit, so that nothing is held between pages.

A statement looks through a window of positions and never further: positions have no gaps, so a window bounds the
work whatever plan the database takes, and a type of which there are few events costs several short statements and
never one long one. (Gaps, if somebody made some, only make pages smaller.) Each page also says how far it has looked
and where the log ended in the same snapshot; positions become visible in order, so everything up to there is final.

A read is repeated on a new connection, a bounded number of times, when its connection turns out to be dead: after
a restart of the database every pooled connection is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from service.adapters.eventstore.codec import StoredEvent
from service.adapters.postgres.pool import Pool, describe
from service.ports.event_store import EventStoreUnavailable, TypeTotals

FILTER_WINDOW = 50_000
"""Positions that one filtered statement looks through."""
END_OF_LOG = 2**63 - 1
READER_SETTINGS = {"plan_cache_mode": "force_generic_plan"}
"""A plan made once, for any place in the log, walks its index. Plans made for one place trust statistics that are
behind a log which grows, and were seen to sort half of it for one page."""
_MAX_TRIES = 3

_COLUMNS = "position, stream, version, event_id, type, data::text AS data, metadata::text AS metadata, recorded_at"
_HEAD = "SELECT coalesce(max(position), 0) FROM triptych.events"
_STREAM = (
    f"SELECT {_COLUMNS} FROM triptych.events "  # noqa: S608 - constants
    "WHERE stream = %s AND version > %s ORDER BY version LIMIT %s"
)
_STREAMS = f"""
SELECT e.* FROM unnest(%s::text[]) AS asked (stream) CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM triptych.events AS e
    WHERE e.stream = asked.stream AND e.position <= %s ORDER BY e.version LIMIT %s
) AS e
"""  # noqa: S608 - constants
_POSITION_AT = "SELECT triptych.position_at(%s)"
# From the index of types alone; then two rows a type for the times, which follow positions.
_TOTALS = """
SELECT t.type, t.count, first.recorded_at, last.recorded_at
FROM (
    SELECT type, count(*) AS count, min(position) AS first, max(position) AS last FROM triptych.events GROUP BY type
) AS t
JOIN triptych.events AS first ON first.position = t.first
JOIN triptych.events AS last ON last.position = t.last
ORDER BY t.type COLLATE "C"
"""
_PAGE = f"""
SELECT log.head, e.* FROM ({_HEAD}) AS log (head) LEFT JOIN LATERAL (
    SELECT {_COLUMNS} FROM triptych.events
    WHERE position > %(after)s AND position <= %(until)s {{where}} ORDER BY position LIMIT %(limit)s
) AS e ON true
"""  # noqa: S608 - constants
_PAGE_OF_ALL = _PAGE.format(where="")
_PAGE_OF_TYPES = _PAGE.format(where="AND type = ANY (%(types)s)")


class Page(NamedTuple):
    rows: list[StoredEvent]
    reached: int
    """Everything up to here was looked through."""
    head: int
    """The end of the log when this was read."""


class LogReader:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def head(self) -> int:
        rows = await self._fetch(_HEAD, ())
        head: int = rows[0][0]
        return head

    async def stream(self, stream: str, after_version: int, limit: int) -> list[StoredEvent]:
        return [StoredEvent(*row) for row in await self._fetch(_STREAM, (stream, after_version, limit))]

    async def streams(self, streams: Collection[str], until: int, limit: int) -> list[StoredEvent]:
        """The first ``limit`` events of each stream up to ``until``, in the log's order."""
        found = await self._fetch(_STREAMS, (sorted(set(streams)), until, limit))
        return sorted(StoredEvent(*row) for row in found)

    async def position_at(self, time: datetime) -> int:
        rows = await self._fetch(_POSITION_AT, (time,))
        position: int = rows[0][0]
        return position

    async def count_by_type(self) -> list[TypeTotals]:
        return [TypeTotals(*row) for row in await self._fetch(_TOTALS, ())]

    async def page(self, after: int, until: int, types: Collection[str] | None, limit: int) -> Page:
        """The events in (after, until], of these types if given: of its first window, and at most ``limit``."""
        until = min(until, after + (limit if types is None else max(limit, FILTER_WINDOW)))
        parameters: dict[str, Any] = {"after": after, "until": until, "limit": limit}
        query = _PAGE_OF_ALL
        if types is not None:
            parameters["types"] = list(types)
            query = _PAGE_OF_TYPES
        found = await self._fetch(query, parameters)
        head: int = found[0][0]
        rows = [StoredEvent(*row[1:]) for row in found if row[1] is not None]
        rows.sort()  # by position; they are, but SQL does not promise it through a join
        if len(rows) == limit:
            return Page(rows, rows[-1].position, head)
        return Page(rows, max(after, min(until, head)), head)

    async def _fetch(self, query: str, parameters: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                async with self._pool.connection() as connection:
                    cursor = connection.cursor(binary=True)
                    await cursor.execute(query, parameters, prepare=True)
                    return await cursor.fetchall()
            except (PoolTimeout, PoolClosed, TooManyRequests, errors.QueryCanceled) as error:
                _unavailable(error)
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                if attempt == _MAX_TRIES:
                    _unavailable(error)
                await self._pool.check()  # puts new connections in place of the dead
            except psycopg.Error as error:
                _unavailable(error)
        raise AssertionError("unreachable")


def _unavailable(error: Exception) -> NoReturn:
    raise EventStoreUnavailable(f"PostgreSQL cannot be read: {describe(error)}") from error
