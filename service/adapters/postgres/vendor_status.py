"""``service.ports.vendor_status`` in an unlogged table beside the read models."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.rows import class_row

from service.adapters.postgres.pool import Pool
from service.ports.vendor_status import VendorStatus

_REPORT = """
INSERT INTO read.vendor_status (vendor, worker, state, detail, reported_at)
VALUES (%(vendor)s, %(worker)s, %(state)s, %(detail)s, clock_timestamp())
ON CONFLICT (vendor, worker) DO UPDATE
SET state = excluded.state, detail = excluded.detail, reported_at = excluded.reported_at
"""

# Workers' names are new with every start: those that are long gone would pile up.
_SWEEP = "DELETE FROM read.vendor_status WHERE reported_at < clock_timestamp() - interval '1 day'"

_CURRENT = """
SELECT vendor, worker, state, detail FROM read.vendor_status
WHERE reported_at > clock_timestamp() - make_interval(secs => %s) ORDER BY vendor, worker
"""


class PostgresVendorStatusBoard:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def report(self, status: VendorStatus) -> None:
        parameters = {
            "vendor": status.vendor,
            "worker": status.worker,
            "state": status.state,
            "detail": status.detail.replace("\0", "\N{REPLACEMENT CHARACTER}")[:1000],
        }
        async with self._pool.connection() as connection:
            await connection.execute(_REPORT, parameters)
            await connection.execute(_SWEEP)

    async def current(self, *, max_age_seconds: float) -> Sequence[VendorStatus]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(VendorStatus)) as rows,
        ):
            await rows.execute(_CURRENT, (max_age_seconds,))
            return await rows.fetchall()
