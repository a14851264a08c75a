"""The work list in memory, for tests and simulations: the contract of the real one without a database.

It follows an event store by reading what is new before it answers, or is fed by ``apply`` where the owner wants to
decide how far behind it is. Nothing in it depends on the time of day or on chance: times are handed in, and rows
that are due at one moment are taken in the order of the log. Waiting is the event loop's: a simulation owns its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.application.due import DUE_EVENT_TYPES, Begun, Due, Ended, due_after
from service.ports.clock import Clock
from service.ports.event_store import EventStore, RecordedEvent
from service.ports.work_list import Claim

POLL_SECONDS = 1.0
MIN_WAIT_SECONDS = 0.01
"""Between looks at a row that is due by the list's clock and not yet by the worker's."""


@dataclass
class _Row:
    generation_id: str
    user_id: str
    position: int
    due_at: datetime
    deadline_at: datetime
    attempt: int = 0
    lease_owner: str = ""
    leased_until: datetime | None = None
    claim_position: int = 0
    seen_position: int = 0
    woken: bool = False

    @property
    def ready_at(self) -> datetime:
        return self.due_at if self.leased_until is None else max(self.due_at, self.leased_until)


class MemoryWorkList:
    def __init__(self, clock: Clock, store: EventStore | None = None) -> None:
        """With a ``store`` the list is never behind; without one its owner feeds ``apply``."""
        self._clock = clock
        self._store = store
        self._position = 0
        self._rows: dict[str, _Row] = {}
        self._changed = asyncio.Event()
        self._reading = asyncio.Lock()

    def apply(self, events: Iterable[RecordedEvent]) -> None:
        """Brings the list up to these events, which follow on those it has seen; others it leaves out."""
        for recorded in events:
            if recorded.position <= self._position:
                continue
            self._position = recorded.position
            if recorded.type in DUE_EVENT_TYPES:
                self._apply(recorded)
        self._wake_waiters()

    def _apply(self, recorded: RecordedEvent) -> None:
        due = due_after(recorded)
        match due:
            case Begun():
                self._rows[due.generation_id] = _Row(
                    due.generation_id, due.user_id, recorded.position, due.due_at, due.deadline_at
                )
            case Due() if (row := self._rows.get(due.generation_id)) is not None:
                row.position, row.attempt = recorded.position, 0
                if recorded.position > row.seen_position:
                    row.due_at = due.due_at
            case Ended():
                self._rows.pop(due.generation_id, None)

    async def claim(
        self, worker: str, *, limit: int, lease_seconds: float, now: datetime, overdue_only: bool = False
    ) -> Sequence[Claim]:
        await self._catch_up()
        ready = sorted(
            (
                row
                for row in self._rows.values()
                if row.ready_at <= now and (row.deadline_at <= now or not overdue_only)
            ),
            key=lambda row: (row.ready_at, row.position),
        )
        claims = []
        for row in ready[:limit]:
            row.lease_owner, row.leased_until = worker, now + timedelta(seconds=lease_seconds)
            row.attempt += 1
            row.claim_position, row.woken = row.position, False
            claims.append(Claim(row.generation_id, row.user_id, row.attempt, row.position))
        return claims

    async def renew(
        self, worker: str, generation_ids: Sequence[str], *, lease_seconds: float, now: datetime
    ) -> set[str]:
        await self._catch_up()
        held = [row for each in generation_ids if (row := self._held(worker, each)) is not None]
        for row in held:
            row.leased_until = now + timedelta(seconds=lease_seconds)
        return {row.generation_id for row in held}

    async def release(self, worker: str, generation_id: str, *, due_at: datetime, seen_position: int = 0) -> None:
        await self._catch_up()
        row = self._held(worker, generation_id)
        if row is None:
            return
        row.seen_position = max(seen_position, row.claim_position)
        sooner = row.woken or row.position > row.seen_position
        row.due_at = min(row.due_at, due_at) if sooner else due_at
        row.lease_owner, row.leased_until, row.woken = "", None, False
        self._wake_waiters()

    async def wake(self, generation_id: str, now: datetime) -> None:
        await self._catch_up()
        row = self._rows.get(generation_id)
        if row is not None:
            row.due_at = min(row.due_at, now)
            row.woken = bool(row.lease_owner)
            self._wake_waiters()

    async def wait_for_work(self, *, timeout_seconds: float) -> None:
        changed = self._changed
        await self._catch_up()
        now = self._clock.now()
        ready_in_seconds = min(
            ((row.ready_at - now).total_seconds() for row in self._rows.values()), default=POLL_SECONDS
        )
        bound_seconds = max(min(timeout_seconds, POLL_SECONDS, ready_in_seconds), MIN_WAIT_SECONDS)
        try:
            async with asyncio.timeout(bound_seconds):
                await changed.wait()
        except TimeoutError:
            return

    def _held(self, worker: str, generation_id: str) -> _Row | None:
        row = self._rows.get(generation_id)
        return row if row is not None and row.lease_owner == worker else None

    async def _catch_up(self) -> None:
        if self._store is None:
            return
        async with self._reading:
            async for batch in self._store.read_all(after=self._position, types=DUE_EVENT_TYPES):
                self.apply(batch)

    def _wake_waiters(self) -> None:
        # Whoever waits holds the old event; whoever comes later looks at the rows before it waits.
        self._changed.set()
        self._changed = asyncio.Event()
