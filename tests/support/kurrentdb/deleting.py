"""Deleting a stream: softly, by metadata that hides its events, or for good, by a tombstone."""

from __future__ import annotations

from uuid import uuid4

from tests.support.kurrentdb import checks
from tests.support.kurrentdb.checks import Decision
from tests.support.kurrentdb.log import DELETED, NO_STREAM, TransactionLog


class CannotDelete(Exception):
    """The stream is at ``current``, or was never there (-1)."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


def delete(log: TransactionLog, stream: str, expected: int, *, hard: bool) -> int:
    """The position of the record that deletes it. Raises StreamDeleted, CannotDelete."""
    found = checks.check(log, stream, expected, [uuid4()])
    if found.decision is Decision.DELETED:
        raise checks.StreamDeleted(stream)
    never_was = found.current == NO_STREAM and f"$${stream}" not in log.streams
    if found.decision is not Decision.OK or (never_was and not hard):
        raise CannotDelete(found.current)
    if hard:
        return log.tombstone(stream).position
    return checks.write_truncate_before(log, stream, DELETED).position
