"""Group commit: appends that wait together are written in one transaction.

One task owns one connection. It takes what waits (bounded in events and bytes), writes it with one call of
``triptych.append_events``, and meanwhile the next ones gather (``gathering.py`` says when it waits for them).

A conflict fails only its own append. The database answers with the versions of the streams that were not as
expected; what these make impossible is set aside and the rest is written with a second call. What was set aside
is then looked up by its event ids: a repeat of an append that is already there gets that one's answer.

Callers beyond ``max_waiting`` wait for room before their append is queued. If the connection is lost, the appends
that were being written fail with EventStoreUnavailable: their outcome is unknown. If no connection can be made,
all that wait fail, so nobody waits longer than an attempt and its backoff.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg
import structlog
from psycopg import errors

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.gathering import Gathering, most_together
from service.adapters.eventstore.postgres_batch import PendingAppend, Plan, conflict, make_pending, make_plan
from service.adapters.postgres.pool import Connection, connect, describe
from service.ports.event_store import EventStoreUnavailable, StreamWrite

_log = structlog.get_logger(__name__)

_APPEND = (
    "SELECT last_position, stream, actual_version FROM triptych.append_events("
    "%b::text[], %b::int[], %b::text[], %b::int[], %b::uuid[], %b::text[], %b::text[], %b::text[])"
)
_FIND_IDS = "SELECT event_id, position FROM triptych.events WHERE event_id = ANY (%s)"
_FIND_VERSIONS = "SELECT stream, max(version) FROM triptych.events WHERE stream = ANY (%s) GROUP BY stream"

_MAX_BACKOFF_SECONDS = 2.0
_CLIENT_GRACE_SECONDS = 5.0
"""How much longer than the server's own statement timeout a silent server is waited for."""


class GroupCommitter:
    def __init__(
        self,
        conninfo: str,
        *,
        codec: EventCodec,
        on_commit: Callable[[], None],
        max_batch_events: int = 1000,
        max_batch_bytes: int = 8 * 1024 * 1024,
        max_waiting: int = 10_000,
        statement_timeout_seconds: float = 15,
    ) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._on_commit = on_commit
        self._max_batch_events = max_batch_events
        self._max_batch_bytes = max_batch_bytes
        self._statement_timeout_seconds = statement_timeout_seconds
        self._room = asyncio.Semaphore(max_waiting)
        self._waiting: deque[PendingAppend] = deque()
        self._work = asyncio.Event()
        self._gathering = Gathering()
        self._connection: Connection | None = None
        self._closing = False
        self._task = asyncio.create_task(self._run(), name="event-store-writer")

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        async with self._room:
            if self._closing:
                raise EventStoreUnavailable("the event store is closed")
            pending = make_pending(writes, self._codec, asyncio.get_running_loop().create_future())
            self._waiting.append(pending)
            self._work.set()
            return await pending.done

    async def close(self, *, timeout_seconds: float = 10) -> None:
        """Writes what waits, for at most ``timeout_seconds``; what is left then fails. Refuses new appends."""
        self._closing = True
        self._work.set()
        _, late = await asyncio.wait([self._task], timeout=timeout_seconds)
        if late:
            self._task.cancel()
            await asyncio.wait(late)
        self._fail(self._waiting, EventStoreUnavailable("the event store was closed"))
        await self._disconnect()

    async def _run(self) -> None:
        backoff_seconds = 0.0
        while not (self._closing and not self._waiting):
            await self._work.wait()
            if not self._closing:
                await self._gathering.wait(self._waiting)
            batch = self._take()
            if not batch:
                continue
            try:
                await self._write(batch)
                backoff_seconds = 0.0
            except EventStoreUnavailable as error:
                self._fail(batch, error)
                if self._connection is None:
                    self._fail(self._waiting, error)
                await self._disconnect()
                backoff_seconds = min(max(0.05, 2 * backoff_seconds), _MAX_BACKOFF_SECONDS)
                _log.warning("event_store_write_failed", why=str(error), retry_in_seconds=backoff_seconds)
                await asyncio.sleep(backoff_seconds)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must reach the callers and not end the task
                _log.exception("event_store_write_broken")
                self._fail(batch, error)
                await self._disconnect()
            finally:
                self._fail(batch, EventStoreUnavailable("the event store was closed"))  # those without an answer

    def _take(self) -> list[PendingAppend]:
        batch: list[PendingAppend] = []
        most = most_together(len(self._waiting))
        events = size_bytes = 0
        while self._waiting:
            following = self._waiting[0]
            if following.done.done():  # its caller has gone, and nothing was sent
                self._waiting.popleft()
                continue
            events += following.event_count
            size_bytes += following.size_bytes
            full = events > self._max_batch_events or size_bytes > self._max_batch_bytes or len(batch) >= most
            if batch and full:
                return batch
            batch.append(self._waiting.popleft())
        if not self._closing:
            self._work.clear()
        return batch

    async def _write(self, batch: Sequence[PendingAppend]) -> None:
        """Answers every append of the batch, or raises EventStoreUnavailable."""
        known: dict[str, int] = {}
        set_aside: list[PendingAppend] = []
        left = list(batch)
        while left:  # each round writes and ends, or takes at least one append out of the next
            plan = make_plan(left, known)
            out = list(plan.lost)
            try:
                unexpected = await self._call(plan)
            except errors.UniqueViolation:
                out += await self._already_there(plan.accepted)
            except (psycopg.DataError, errors.ProgramLimitExceeded) as error:
                await self._write_singly(plan.accepted, error)
                left = plan.held
            else:
                known |= unexpected
                if not unexpected:
                    out += plan.held
                    left = []
            set_aside += out
            left = _without(left, out)
        if set_aside:
            await self._answer_set_aside(set_aside)

    async def _call(self, plan: Plan) -> dict[str, int]:
        """Writes and answers what the plan accepted; or returns the streams that are at other versions."""
        if not plan.accepted:
            return {}
        base = plan.base_versions
        rows = await self._execute(_APPEND, [list(base), list(base.values()), *plan.rows()])
        if rows[0][0] is None:
            return {stream: version for _, stream, version in rows}
        position = rows[0][0] - sum(each.event_count for each in plan.accepted)
        for pending in plan.accepted:
            position += pending.event_count
            pending.answer(position)
        self._on_commit()
        return {}

    async def _write_singly(self, batch: Sequence[PendingAppend], error: psycopg.Error) -> None:
        """One of them holds what PostgreSQL cannot store: it alone is to fail."""
        if len(batch) == 1:
            batch[0].fail(ValueError(f"{batch[0].writes[0][0]}: the store cannot hold an event of it: {error}"))
            return
        for pending in batch:
            await self._write([pending])

    async def _already_there(self, appends: Sequence[PendingAppend]) -> list[PendingAppend]:
        """Those of which an event id is in the log. Raises EventStoreUnavailable if there is none after all."""
        positions = await self._positions(appends)
        found = [each for each in appends if not positions.keys().isdisjoint(each.event_ids)]
        if not found:
            raise EventStoreUnavailable("the event log refused an event id or version that it does not hold")
        return found

    async def _answer_set_aside(self, appends: Sequence[PendingAppend]) -> None:
        positions = await self._positions(appends)
        streams = sorted({stream for each in appends for stream, _, _ in each.writes})
        versions: dict[str, int] = dict(await self._execute(_FIND_VERSIONS, [streams]))
        for pending in appends:
            there = [positions.get(each) for each in pending.event_ids]
            known = [each for each in there if each is not None]
            if len(known) == len(there):
                pending.answer(max(known))
            else:
                pending.fail(conflict(pending, versions))

    async def _positions(self, appends: Sequence[PendingAppend]) -> dict[Any, int]:
        ids = [event_id for each in appends for event_id in each.event_ids]
        return dict(await self._execute(_FIND_IDS, [ids]))

    async def _execute(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = await self._connected()
        try:
            async with asyncio.timeout(self._statement_timeout_seconds + _CLIENT_GRACE_SECONDS):
                cursor = connection.cursor(binary=True)
                await cursor.execute(query, parameters, prepare=True)
                return await cursor.fetchall()
        except (psycopg.DataError, errors.UniqueViolation, errors.ProgramLimitExceeded):
            raise
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise EventStoreUnavailable(f"PostgreSQL did not take the events: {describe(error)}") from error

    async def _connected(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = await connect(
                    self._conninfo,
                    application_name="triptych-writer",
                    statement_timeout_seconds=self._statement_timeout_seconds,
                )
            except (psycopg.Error, OSError) as error:
                raise EventStoreUnavailable(f"PostgreSQL cannot be reached: {describe(error)}") from error
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _fail(self, appends: Iterable[PendingAppend], error: Exception) -> None:
        for pending in appends:
            pending.fail(error)


def _without(appends: Iterable[PendingAppend], out: Iterable[PendingAppend]) -> list[PendingAppend]:
    gone = set(out)
    return [each for each in appends if each not in gone]
