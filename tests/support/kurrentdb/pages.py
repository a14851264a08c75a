"""Reading ``$all`` in pages, as the server does for reads and for subscriptions that catch up.

A page ends when it holds enough events or has looked at enough. Forwards, a position is where to start, so the record
there is part of the page; backwards, it is where to stop, so it is not. A position at which no record can start is an
error, unless it lies beyond the last event and the reader goes forwards: then there is nothing, which is no error.
"""

from __future__ import annotations

import msgspec

from tests.support.kurrentdb.filters import Allows
from tests.support.kurrentdb.log import Record, TransactionLog

PAGE_SIZE = 32
UNBOUNDED = 2**63 - 1


class InvalidPosition(Exception):
    """There is no record at ``position``."""

    def __init__(self, position: int) -> None:
        super().__init__(f"there is no record at position {position}")
        self.position = position


class BeyondTheEnd(Exception):
    """Backwards from a position that the log has not reached."""

    def __init__(self, position: int, end: int) -> None:
        super().__init__(
            f"Requested position {position} is greater than writer checkpoint {end} "
            "when requesting to read previous record from TF."
        )


class Page(msgspec.Struct, frozen=True):
    """``next``: where the next page starts; ``considered``: how many events were looked at."""

    records: list[Record]
    start: int
    next: int
    considered: int
    at_end: bool


def forwards(log: TransactionLog, start: int, allowed: Allows, *, count: int, window: int = UNBOUNDED) -> Page:
    records: list[Record] = []
    if start > log.last_position:
        return Page(records, start, start, 0, True)
    index = log.index_of(start)
    if index is None:
        raise InvalidPosition(start)
    first, next_start = index, start
    while len(records) < count and index - first < window:
        if index == len(log.records):
            return Page(records, start, next_start, index - first, True)
        record = log.records[index]
        index, next_start = index + 1, record.end
        if allowed(record):
            records.append(record)
    return Page(records, start, next_start, index - first, False)


def backwards(log: TransactionLog, start: int, allowed: Allows, *, count: int, window: int = UNBOUNDED) -> Page:
    records: list[Record] = []
    if start > log.end:
        raise BeyondTheEnd(start, log.end)
    index = log.index_of(start)
    if index is None:
        raise InvalidPosition(start)
    first, next_start = index, start
    while len(records) < count and first - index < window:
        if index == 0:
            return Page(records, start, next_start, first - index, True)
        index -= 1
        record = log.records[index]
        next_start = record.position
        if allowed(record):
            records.append(record)
    return Page(records, start, next_start, first - index, False)
