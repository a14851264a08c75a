"""Reading ``$all`` in pages, as the server does for reads and for subscriptions that catch up.

A page ends when it holds enough events or has looked at enough. Forwards, a position is where to start, so the record
there is part of the page; backwards, it is where to stop, so it is not. A position at which no record can start is an
error, unless it lies beyond the last event and the reader goes forwards: then there is nothing, which is no error.

A position is a pair, commit and prepare. An event's two are equal; where the next page starts, prepare is 0, which
comes before the event there. Who keeps the commit position only, and comes back with both equal, is taken to have
seen that event.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tests.support.kurrentdb.filters import Allows
from tests.support.kurrentdb.log import Record, TransactionLog

PAGE_SIZE = 32
UNBOUNDED = 2**63 - 1


class Position(NamedTuple):
    """Compared by commit, then by prepare."""

    commit: int
    prepare: int

    @classmethod
    def of(cls, offset: int) -> Position:
        return cls(offset, offset)


class InvalidPosition(Exception):
    """There is no record at ``position``."""

    def __init__(self, position: Position) -> None:
        super().__init__(f"there is no record at position {position.commit}")
        self.position = position


class BeyondTheEnd(Exception):
    """Backwards from a position that the log has not reached."""

    def __init__(self, position: Position, end: int) -> None:
        super().__init__(
            f"Requested position {position.commit} is greater than writer checkpoint {end} "
            "when requesting to read previous record from TF."
        )


class Page(msgspec.Struct, frozen=True):
    """``next``: where the next page starts; ``considered``: how many events were looked at."""

    records: list[Record]
    start: Position
    next: Position
    considered: int
    at_end: bool


def forwards(log: TransactionLog, start: Position, allowed: Allows, *, count: int, window: int = UNBOUNDED) -> Page:
    records: list[Record] = []
    if start.commit > log.last_position:
        return Page(records, start, start, 0, True)
    index = log.index_of(start.commit)
    if index is None:
        raise InvalidPosition(start)
    if Position.of(log.records[index].position) < start:
        index += 1
    first, next_start = index, start
    while len(records) < count and index - first < window:
        if index == len(log.records):
            return Page(records, start, next_start, index - first, True)
        record = log.records[index]
        index, next_start = index + 1, Position(record.end, 0)
        if allowed(record):
            records.append(record)
    return Page(records, start, next_start, index - first, False)


def backwards(log: TransactionLog, start: Position, allowed: Allows, *, count: int, window: int = UNBOUNDED) -> Page:
    records: list[Record] = []
    if start.commit > log.end:
        raise BeyondTheEnd(start, log.end)
    index = log.index_of(start.commit)
    if index is None:
        raise InvalidPosition(start)
    if index > 0 and Position.of(log.records[index - 1].end) > start:
        index -= 1
    first, next_start = index, start
    while len(records) < count and first - index < window:
        if index == 0:
            return Page(records, start, next_start, first - index, True)
        index -= 1
        record = log.records[index]
        next_start = Position.of(record.position)
        if allowed(record):
            records.append(record)
    return Page(records, start, next_start, first - index, False)
