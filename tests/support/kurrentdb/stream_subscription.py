"""A subscription to one stream: its events after a revision, caught up, and what is written to it from then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

from kurrentdbclient.protos.v1 import streams_pb2

from tests.support.kurrentdb import messages, pages
from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.log import Record, TransactionLog


class StreamSubscription:
    """Falls behind when more is written than ``live_buffer`` events while it is busy, and says so by catching up."""

    def __init__(self, log: TransactionLog, faults: Faults, stream: str, after: int, *, uuid_as_text: bool) -> None:
        self._log = log
        self._stream = stream
        self._sent = after
        self._uuid_as_text = uuid_as_text
        self._live_buffer = faults.live_buffer
        self._written = asyncio.Event()

    async def run(self) -> AsyncIterator[streams_pb2.ReadResp]:
        self._log.listeners.append(self._hear)
        try:
            yield messages.confirmation(uuid4())
            caught_up = False
            while True:
                self._written.clear()
                waiting = self._waiting()
                if len(waiting) > self._live_buffer:
                    caught_up = False
                for record in waiting:
                    yield messages.event(record, uuid_as_text=self._uuid_as_text)
                    self._sent = record.revision
                if waiting:
                    continue
                if not caught_up:
                    yield messages.caught_up_stream(self._sent)
                    caught_up = True
                await self._written.wait()
        finally:
            self._log.listeners.remove(self._hear)

    def _waiting(self) -> Sequence[Record]:
        first = max(self._sent + 1, self._log.truncate_before(self._stream))
        return self._log.streams.get(self._stream, [])[first : first + pages.PAGE_SIZE + 1]

    def _hear(self, block: Sequence[Record]) -> None:
        if any(record.stream == self._stream for record in block):
            self._written.set()
