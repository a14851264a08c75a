"""The work list in PostgreSQL: leases on the rows that the work-list projection keeps.

Claims take locks that never wait (``FOR UPDATE SKIP LOCKED``), so any number of workers share the list without
meeting. A row has the position of the last event that the projection has seen, and of the last that its worker had
seen when it gave it back: only what is newer makes the row due sooner than the worker said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg

from service.adapters.postgres.change_feed import PostgresChangeFeed, wait_briefly
from service.adapters.postgres.pool import Pool, describe
from service.adapters.postgres.read_notifier import ReadNotifier
from service.ports.projections import ReadModelsUnavailable
from service.ports.work_list import Claim

POLL_SECONDS = 1.0
MIN_WAIT_SECONDS = 0.01
"""Between looks at a row that is due by the database's clock and not yet by the worker's."""

_CLAIM = """
    WITH ready AS (
        SELECT generation_id, ready_at AS was_ready_at FROM read.work_list
        WHERE ready_at <= %(now)s AND (deadline_at <= %(now)s OR NOT %(overdue_only)s)
        ORDER BY ready_at, position
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED)
    UPDATE read.work_list AS work
    SET lease_owner = %(worker)s, leased_until = %(until)s, attempt = attempt + 1,
        claim_position = position, woken = false
    FROM ready
    WHERE work.generation_id = ready.generation_id
    RETURNING work.generation_id, work.user_id, work.attempt, work.position, was_ready_at"""

_RENEW = """
    WITH held AS (
        SELECT generation_id FROM read.work_list
        WHERE generation_id = ANY(%(ids)s) AND lease_owner = %(worker)s
        ORDER BY generation_id
        FOR UPDATE)
    UPDATE read.work_list AS work
    SET leased_until = %(until)s
    FROM held
    WHERE work.generation_id = held.generation_id
    RETURNING work.generation_id"""

_RELEASE = """
    UPDATE read.work_list
    SET lease_owner = '', leased_until = NULL, woken = false,
        seen_position = GREATEST(%(seen)s, claim_position),
        due_at = CASE WHEN woken OR position > GREATEST(%(seen)s, claim_position)
                      THEN LEAST(due_at, %(due_at)s) ELSE %(due_at)s END
    WHERE generation_id = %(id)s AND lease_owner = %(worker)s"""

_WAKE = """
    UPDATE read.work_list
    SET due_at = LEAST(due_at, %(now)s), woken = lease_owner <> ''
    WHERE generation_id = %(id)s"""


class PostgresWorkList:
    def __init__(self, pool: Pool, feed: PostgresChangeFeed, notifier: ReadNotifier) -> None:
        self._pool = pool
        self._feed = feed
        self._notifier = notifier

    async def claim(
        self, worker: str, *, limit: int, lease_seconds: float, now: datetime, overdue_only: bool = False
    ) -> Sequence[Claim]:
        until = now + timedelta(seconds=lease_seconds)
        parameters = {"worker": worker, "now": now, "until": until, "limit": limit, "overdue_only": overdue_only}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_CLAIM, parameters)
            rows = await cursor.fetchall()
        rows.sort(key=lambda row: (row[4], row[3]))
        return [Claim(*row[:4]) for row in rows]

    async def renew(
        self, worker: str, generation_ids: Sequence[str], *, lease_seconds: float, now: datetime
    ) -> set[str]:
        until = now + timedelta(seconds=lease_seconds)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_RENEW, {"worker": worker, "ids": list(generation_ids), "until": until})
            return {row[0] for row in await cursor.fetchall()}

    async def release(self, worker: str, generation_id: str, *, due_at: datetime, seen_position: int = 0) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                _RELEASE, {"worker": worker, "id": generation_id, "due_at": due_at, "seen": seen_position}
            )

    async def wake(self, generation_id: str, now: datetime) -> None:
        try:
            async with self._pool.connection() as connection:
                await connection.execute(_WAKE, {"id": generation_id, "now": now})
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise ReadModelsUnavailable(
                f"the database of the work list does not answer: {describe(error)}"
            ) from error
        self._notifier.announce("work_list", 0, (generation_id,))

    async def wait_for_work(self, *, timeout_seconds: float) -> None:
        # Taken before the look, so that what comes in between is not missed.
        notice = self._feed.next_notice("work_list")
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT extract(epoch FROM min(ready_at) - now())::float8 FROM read.work_list"
            )
            row = await cursor.fetchone()
        ready_in_seconds = POLL_SECONDS if row is None or row[0] is None else max(row[0], MIN_WAIT_SECONDS)
        await wait_briefly(notice, min(timeout_seconds, POLL_SECONDS, ready_in_seconds))
