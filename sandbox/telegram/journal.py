"""What was called: counts for each method, and the last calls one by one."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Final

MAX_CALLS_KEPT: Final = 1_000
_MAX_SHOWN_CHARACTERS: Final = 500


@dataclass
class MethodCount:
    """How often a method was called, how often it was refused, and how many files came with it."""

    calls: int = 0
    refused: int = 0
    uploads: int = 0


@dataclass
class CallRecord:
    """One call. ``error`` is the description of its refusal, empty if it was carried out."""

    method: str
    arguments: dict[str, str]
    uploads: int = 0
    error: str = ""


class Journal:
    """The calls of one server."""

    def __init__(self) -> None:
        self._counts: dict[str, MethodCount] = {}
        self._records: deque[CallRecord] = deque(maxlen=MAX_CALLS_KEPT)

    def called(self, method: str, arguments: dict[str, Any], uploads: int) -> CallRecord:
        count = self._count(method)
        count.calls += 1
        count.uploads += uploads
        shown = {name: str(value)[:_MAX_SHOWN_CHARACTERS] for name, value in arguments.items()}
        record = CallRecord(method, shown, uploads)
        self._records.append(record)
        return record

    def refused(self, record: CallRecord, reason: str) -> None:
        self._count(record.method).refused += 1
        record.error = reason

    def _count(self, method: str) -> MethodCount:
        return self._counts.setdefault(method, MethodCount())

    def counts(self) -> dict[str, dict[str, Any]]:
        return {method: asdict(count) for method, count in self._counts.items()}

    def records(self) -> list[dict[str, Any]]:
        return [asdict(record) for record in self._records]

    def clear(self) -> None:
        self._counts.clear()
        self._records.clear()
