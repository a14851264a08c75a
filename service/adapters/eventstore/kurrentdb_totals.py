"""How many events of each type there are. KurrentDB keeps no such totals, so the log is gone through once; what was
counted is kept, and the next question reads only what came since."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime

import kurrentdbclient as kdb

from service.adapters.eventstore.kurrentdb_records import EVERYTHING, recorded_at
from service.adapters.eventstore.kurrentdb_tail import LogTail
from service.ports.event_store import TypeTotals

_BATCH_SIZE = 1000


class Totals:
    def __init__(self, tail: LogTail) -> None:
        self._tail = tail
        self._position = 0
        self._totals: dict[str, TypeTotals] = {}
        self._turn = asyncio.Lock()

    async def count(self, head: int) -> Sequence[TypeTotals]:
        """Totals by name up to ``head``, or further. Raises EventStoreUnavailable; what was counted is not lost."""
        async with self._turn:
            if self._position < head:
                async with aclosing(self._tail.batches(self._position, EVERYTHING, _BATCH_SIZE)) as batches:
                    async for batch in batches:
                        for record in batch.records:
                            self._count(record)
                        self._position = batch.position
                        if batch.position >= head:
                            break
            return [self._totals[name] for name in sorted(self._totals)]

    def _count(self, record: kdb.RecordedEvent) -> None:
        time: datetime = recorded_at(record)
        known = self._totals.get(record.type) or TypeTotals(record.type, 0, time, time)
        self._totals[record.type] = TypeTotals(record.type, known.count + 1, known.first_at, time)
