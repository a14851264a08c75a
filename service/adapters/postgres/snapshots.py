"""``service.ports.snapshots`` in a table beside the read models: like them it can be emptied at any time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from service.adapters.postgres.pool import Pool, describe
from service.ports.snapshots import Snapshot, SnapshotsUnavailable

_LOAD = """
SELECT version, position, event_id, state_version, state::text FROM read.snapshots WHERE stream = %s
"""
_SAVE = """
INSERT INTO read.snapshots AS kept (stream, version, position, event_id, state_version, state)
VALUES (%s, %s, %s, %s, %s, %s::json)
ON CONFLICT (stream) DO UPDATE SET
    version = excluded.version, position = excluded.position, event_id = excluded.event_id,
    state_version = excluded.state_version, state = excluded.state, save_time = now()
WHERE kept.version < excluded.version OR kept.state_version <> excluded.state_version
"""


class PostgresSnapshots:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(self, stream: str) -> Snapshot | None:
        with _telling_outages():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_LOAD, (stream,))).fetchone()
        if row is None:
            return None
        version, position, event_id, state_version, state = row
        return Snapshot(
            stream=stream,
            version=version,
            position=position,
            event_id=event_id,
            state_version=state_version,
            state=state.encode(),
        )

    async def save(self, snapshot: Snapshot) -> None:
        fields = (snapshot.stream, snapshot.version, snapshot.position, snapshot.event_id, snapshot.state_version)
        with _telling_outages():
            async with self._pool.connection() as connection:
                await connection.execute(_SAVE, (*fields, snapshot.state.decode()))


@contextmanager
def _telling_outages() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests, OSError) as error:
        raise SnapshotsUnavailable(f"snapshots cannot be reached: {describe(error)}") from error
