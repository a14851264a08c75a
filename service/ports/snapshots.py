"""States of long streams, kept so that they need not be folded from the beginning.

A snapshot is a convenience and never a fact: it may be missing, old or wrong, and may be deleted at any time.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import msgspec


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a stream right after one of its events."""

    stream: str
    version: int
    """Of the last event in it."""
    position: int
    """Nothing else of the stream stands up to this place in the log."""
    event_id: UUID
    """Of the last event in it: a log that was put back to an older state has another one there."""
    state_version: str
    """Of the code that folded it; other code's states are not understood."""
    state: bytes
    """JSON."""


class SnapshotsUnavailable(Exception):
    """Snapshots cannot be reached at the moment."""


class SnapshotStore(Protocol):
    """Keeps the newest snapshot of each stream."""

    async def load(self, stream: str) -> Snapshot | None:
        """The newest one. Raises SnapshotsUnavailable."""
        ...

    async def save(self, snapshot: Snapshot) -> None:
        """Keeps it in place of an older one of its stream; an older one than there is changes nothing, unless
        other code folded that. Raises SnapshotsUnavailable."""
        ...
