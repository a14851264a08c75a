"""Tells watchers in all processes that read models have moved, by NOTIFY.

Announcing costs the announcer nothing: it notes what is new and goes on. One task sends what has gathered since it
last sent, on a connection of its own, so that under load many changes travel in one message and no projection waits
for PostgreSQL's notification lock. A message that is lost costs latency only, because listeners also look by
themselves (``change_feed.py``).

A message on the channel ``triptych_read`` is ``{"projection", "position", "keys"}``; no keys (null) means that the
rows of any key may have changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import msgspec
import psycopg
import structlog

from service.adapters.postgres.pool import Connection, connect

log = structlog.get_logger(__name__)

CHANNEL = "triptych_read"
MAX_PAYLOAD_BYTES = 7900
"""PostgreSQL takes fewer than 8000."""
MAX_KEYS = 150
MAX_BACKOFF_SECONDS = 5.0


class Notice(msgspec.Struct, frozen=True):
    """What a message says."""

    projection: str
    position: int
    keys: list[str] | None = None


class ReadNotifier:
    """Give it to whoever announces; ``run`` sends, until it is cancelled. What it holds is bounded by the number of
    projections and ``MAX_KEYS``."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._pending: dict[str, tuple[int, set[str] | None]] = {}
        self._something = asyncio.Event()

    def announce(self, projection: str, position: int, keys: Collection[str] | None) -> None:
        """``position`` 0 where only the keys are news."""
        known_position, known_keys = self._pending.get(projection, (0, set()))
        merged = None if keys is None or known_keys is None else known_keys.union(keys)
        if merged is not None and len(merged) > MAX_KEYS:
            merged = None
        self._pending[projection] = (max(known_position, position), merged)
        self._something.set()

    @property
    def pending(self) -> list[Notice]:
        """What is not sent yet."""
        return _notices(self._pending)

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                async with await connect(self._conninfo, application_name="triptych notifier") as connection:
                    self._forget_positions()
                    while True:
                        await self._something.wait()
                        await self._send(connection)
                        failures = 0
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                log.warning("read_notifier_interrupted", error=str(error))
            await asyncio.sleep(min(0.1 * 2**failures, MAX_BACKOFF_SECONDS))
            failures = min(failures + 1, 10)

    async def _send(self, connection: Connection) -> None:
        with self._taken() as taken:
            messages = [encode(each) for each in _notices(taken)]
            await connection.execute("SELECT pg_notify(%s, m) FROM unnest(%s::text[]) AS m", (CHANNEL, messages))

    @contextmanager
    def _taken(self) -> Iterator[dict[str, tuple[int, set[str] | None]]]:
        """What there is to send; put back if sending fails."""
        taken, self._pending = self._pending, {}
        self._something.clear()
        try:
            yield taken
        except BaseException:
            for name, (position, keys) in taken.items():
                self.announce(name, position, keys)
            raise

    def _forget_positions(self) -> None:
        """Should the server have crashed, projections may have lost their last commits (they are made again): nobody
        may be told of positions from before. Listeners find them out by themselves."""
        self._pending = {name: (0, keys) for name, (_, keys) in self._pending.items()}


def _notices(pending: dict[str, tuple[int, set[str] | None]]) -> list[Notice]:
    return [
        Notice(projection, position, None if keys is None else sorted(keys))
        for projection, (position, keys) in pending.items()
    ]


def encode(notice: Notice) -> str:
    """The payload; one that would be too long names no keys."""
    payload = msgspec.json.encode(notice)
    if len(payload) > MAX_PAYLOAD_BYTES:
        payload = msgspec.json.encode(Notice(notice.projection, notice.position))
    return payload.decode()


def decode(payload: str) -> Notice:
    """Raises msgspec.DecodeError for what is not a notice."""
    return msgspec.json.decode(payload, type=Notice)
