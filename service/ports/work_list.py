"""The work list: generations that still need a step, and the leases by which workers share them.

A lease is no fact: losing it costs time, never truth. Whoever holds one may still meet another worker at the
event store, where the version check lets one of them win.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """A leased row. It may be stale (the list follows the log): what is to be done, the events say.

    ``attempt`` counts claims since the last event of the generation (from 1)."""

    generation_id: str
    user_id: str
    attempt: int
    position: int
    """Of the generation's last event that the list has seen."""


class WorkList(Protocol):
    """Shares the generations that need a step among any number of workers."""

    async def claim(
        self, worker: str, *, limit: int, lease_seconds: float, now: datetime, overdue_only: bool = False
    ) -> Sequence[Claim]:
        """Leases up to ``limit`` rows that are due, oldest due first, skipping those others hold; with
        ``overdue_only`` none but those past their generation's deadline."""
        ...

    async def renew(
        self, worker: str, generation_ids: Sequence[str], *, lease_seconds: float, now: datetime
    ) -> set[str]:
        """Extends the leases; returns those that are still this worker's."""
        ...

    async def release(self, worker: str, generation_id: str, *, due_at: datetime, seen_position: int = 0) -> None:
        """Gives a row back, due again at ``due_at``, or sooner where an event or a wake-up came since the claim
        that the worker has not seen.

        ``seen_position`` is the position of the generation's last event that the worker knows of, its own
        appends included (0: what the claim said): events up to there do not make the row due again, whether
        the list sees them before or after the release. A row that is gone or another's is left alone.
        """
        ...

    async def wake(self, generation_id: str, now: datetime) -> None:
        """Makes a row due now (a webhook came). Raises ReadModelsUnavailable."""
        ...

    async def wait_for_work(self, *, timeout_seconds: float) -> None:
        """Returns when something may be due, or after the timeout."""
        ...


class ProgressBoard(Protocol):
    """Where workers leave the vendor's passing reports (place in its queue). Reports, not facts: they may be
    lost at any time and nothing is decided on them."""

    async def report(self, generation_id: str, *, queue_position: int | None, log_line: str) -> None:
        """Replaces what was reported of this generation before. ``queue_position`` counts from 0."""
        ...
