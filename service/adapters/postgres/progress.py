"""Where workers leave the vendor's passing reports, for those who watch.

The table is an ordinary one, not UNLOGGED: PostgreSQL refuses to read unlogged tables on a standby, and reads may be
sent there. Losing the last reports in a crash costs nothing, so their commits do not wait for the disk.
"""

from __future__ import annotations

import time

from service.adapters.postgres.pool import Pool
from service.adapters.postgres.read_notifier import ReadNotifier

SWEEP_SECONDS = 3600.0
"""How often reports are removed whose generation ended before the report came."""

# Nothing is kept for what has left the work list, and a report that says nothing new writes nothing.
_REPORT = """
    INSERT INTO read.generation_progress AS progress (generation_id, queue_position, log_line)
    SELECT %(id)s, %(queue_position)s, %(log_line)s
    WHERE EXISTS (SELECT FROM read.work_list WHERE generation_id = %(id)s)
    ON CONFLICT (generation_id) DO UPDATE
    SET queue_position = excluded.queue_position, log_line = excluded.log_line, report_time = now()
    WHERE (progress.queue_position, progress.log_line)
        IS DISTINCT FROM (excluded.queue_position, excluded.log_line)"""
_SWEEP = """
    DELETE FROM read.generation_progress AS progress
    WHERE report_time < now() - interval '1 hour'
        AND NOT EXISTS (SELECT FROM read.work_list AS work WHERE work.generation_id = progress.generation_id)"""


class PostgresProgressBoard:
    def __init__(self, pool: Pool, notifier: ReadNotifier) -> None:
        self._pool = pool
        self._notifier = notifier
        self._sweep_at = time.monotonic()

    async def report(self, generation_id: str, *, queue_position: int | None, log_line: str) -> None:
        report = {"id": generation_id, "queue_position": queue_position, "log_line": log_line}
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("SELECT set_config('synchronous_commit', 'off', true)")
            cursor = await connection.execute(_REPORT, report)
            if time.monotonic() >= self._sweep_at:
                self._sweep_at = time.monotonic() + SWEEP_SECONDS
                await connection.execute(_SWEEP)
        if cursor.rowcount:
            self._notifier.announce("generations", 0, (generation_id,))
