"""May an append happen? The leader's answer, stream by stream, and what it makes of them together.

A client that did not hear an answer repeats its append. The server recognises the repeat by where it was to stand: at
a stated revision below the present one it compares the ids that stand there (from the log, so for ever); at "any" it
looks into a memory of recent events, which a restart empties. At the present revision or above it compares nothing,
for event ids are not unique. All streams repeated: success, with the old position. A mixture is a failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from uuid import UUID, uuid4

import msgspec

from tests.support.kurrentdb.log import DELETED, NO_STREAM, NewRecord, Record, TransactionLog

ANY = -2
EXISTS = -4


class StreamAppend(msgspec.Struct, frozen=True):
    """Records for one stream, which must be at ``expected``: a revision, or NO_STREAM, ANY, EXISTS."""

    stream: str
    expected: int
    records: tuple[NewRecord, ...]


class Decision(Enum):
    OK = auto()
    REPEATED = auto()
    WRONG_REVISION = auto()
    PARTLY_REPEATED = auto()
    DELETED = auto()


class Check(msgspec.Struct, frozen=True):
    """``repeated``: the last of the events that are there already."""

    decision: Decision
    current: int
    repeated: Record | None = None


class WrongRevision(Exception):
    """``failed``: which append did not fit; None where the server did not say (before 26.0.3)."""

    def __init__(self, failed: StreamAppend | None, current: int) -> None:
        super().__init__(failed, current)
        self.failed = failed
        self.current = current


class StreamDeleted(Exception):
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.stream = stream


class UnknownMetadata(ValueError):
    """A stream's metadata that would have to change what readers get, and here does not."""


class Appended(msgspec.Struct, frozen=True):
    """``position``: of the transaction's last record; ``revisions``: of each stream's last one, in order."""

    position: int
    revisions: tuple[int, ...]


def append(log: TransactionLog, appends: Sequence[StreamAppend], *, names_mixed_failures: bool) -> Appended:
    """Writes all of it, or finds all of it written, or raises WrongRevision or StreamDeleted."""
    checks = [check(log, each.stream, each.expected, [new.event_id for new in each.records]) for each in appends]
    for each, found in zip(appends, checks, strict=True):
        if found.decision is Decision.DELETED:
            raise StreamDeleted(each.stream)
    decisions = {each.decision for each in checks}
    if decisions == {Decision.REPEATED}:
        repeated = [each.repeated for each in checks if each.repeated is not None]
        return Appended(max(each.position for each in repeated), tuple(each.revision for each in repeated))
    if decisions != {Decision.OK}:
        raise _failure(appends, checks, names_mixed_failures)
    for each in appends:
        _refuse_unknown_metadata(each)
    block = log.append([(each.stream, new) for each in appends for new in each.records])
    for each, found in zip(appends, checks, strict=True):
        if log.is_soft_deleted(each.stream):
            # Writing to a stream that was deleted softly brings it back, from the new event on.
            write_truncate_before(log, each.stream, found.current + 1)
    return Appended(block[-1].position, tuple(log.last_revision(each.stream) for each in appends))


def check(log: TransactionLog, stream: str, expected: int, ids: Sequence[UUID]) -> Check:
    current = log.last_revision(stream)
    if current == DELETED or (expected == EXISTS and log.is_soft_deleted(stream)):
        return Check(Decision.DELETED, current)
    if expected == EXISTS and current == NO_STREAM and f"$${stream}" not in log.streams:
        return Check(Decision.WRONG_REVISION, current)
    if expected in (ANY, EXISTS):
        known = [log.recent.get((stream, each)) for each in ids]
    elif expected < current:
        written = log.streams[stream][expected + 1 : expected + 1 + len(ids)]
        known = [record if record.event_id == each else None for record, each in zip(written, ids, strict=False)]
        known += [None] * (len(ids) - len(known))
    else:
        return Check(Decision.OK if expected == current else Decision.WRONG_REVISION, current)
    if None not in known:
        return Check(Decision.REPEATED, current, known[-1])
    if known[0] is not None:
        return Check(Decision.PARTLY_REPEATED, current)
    may_be_written = expected in (ANY, EXISTS) or (expected == NO_STREAM and log.is_soft_deleted(stream))
    return Check(Decision.OK if may_be_written else Decision.WRONG_REVISION, current)


def _failure(appends: Sequence[StreamAppend], checks: Sequence[Check], names_mixed_failures: bool) -> WrongRevision:
    mixed = any(each.decision in (Decision.REPEATED, Decision.PARTLY_REPEATED) for each in checks)
    if mixed and len(appends) > 1 and not names_mixed_failures:
        return WrongRevision(None, NO_STREAM)
    failed = next(n for n, each in enumerate(checks) if each.decision is not Decision.OK)
    return WrongRevision(appends[failed], checks[failed].current)


def _refuse_unknown_metadata(append: StreamAppend) -> None:
    if append.stream.startswith("$$"):
        for new in append.records:
            if unknown := {key for key in msgspec.json.decode(new.data) if key.startswith("$")} - {"$tb"}:
                raise UnknownMetadata(f"{append.stream}: this server does not keep to {sorted(unknown)}")


def write_truncate_before(log: TransactionLog, stream: str, revision: int) -> Record:
    data = msgspec.json.encode({"$tb": revision})
    [record] = log.append([(f"$${stream}", NewRecord(uuid4(), "$metadata", True, data, b"", 0))])
    return record
