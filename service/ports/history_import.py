"""Taking whole histories into an event store: events that happened elsewhere, or were made up, with their own times.

For operators' programs only. The service itself appends, and its store says when.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from service.ports.event_store import NewEvent


class DatedEvent(NamedTuple):
    """An event with its place in its stream and its time (timezone-aware)."""

    stream: str
    version: int
    new: NewEvent
    recorded_at: datetime


def were_one_append(first: DatedEvent, second: DatedEvent) -> bool:
    """Whether two events that follow each other were written together: at one time, for one reason. Several appends
    may look like one; then they are kept together too."""
    return first.recorded_at == second.recorded_at and first.new.metadata == second.new.metadata


class HistoryRefused(Exception):
    """The history does not fit to the log, or not to itself; nothing of it was taken."""


class HistoryImport(Protocol):
    """One history, taken whole or not at all; by a store that cannot take back what it holds, from its beginning on
    up to where it was broken off, and then further when it is given again."""

    @property
    def position(self) -> int:
        """Of the last event written."""
        ...

    async def write(self, events: Iterable[DatedEvent]) -> None:
        """The next events, in the order of the log. Raises HistoryRefused, EventStoreUnavailable."""
        ...
