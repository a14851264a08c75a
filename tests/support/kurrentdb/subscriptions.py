"""Subscriptions: first what is there already, page by page, then what is written, as it is written.

``$all``: confirmation, events; at the end of what is there (with a filter: a checkpoint, and) caught up; then live
events, and with a filter a checkpoint after every interval of events looked at. The position in that first checkpoint
and in the caught-up message is that of the last event sent, or where the last page began (``pages``), which may lie
far before the end of the log.

What is written waits for a live subscriber in a buffer of 32 messages. When it overflows, the oldest is dropped, the
subscription falls behind, and catches up from the log again. (The server knows a message for falling behind and does
not send it; ``Faults.tells_fell_behind`` makes this one do so.)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import msgspec
from kurrentdbclient.protos.v1 import streams_pb2

from tests.support.kurrentdb import messages, pages
from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.filters import Allows, visible_to_all
from tests.support.kurrentdb.log import Record, TransactionLog
from tests.support.kurrentdb.pages import Position

_BEFORE_EVERYTHING = Position(-1, -1)
_FIRST = Position(0, 0)
Messages = AsyncIterator[streams_pb2.ReadResp]


class Filter(msgspec.Struct, frozen=True):
    """``interval``: a live checkpoint after so many events looked at."""

    allows: Allows
    window: int
    interval: int


class _Live(msgspec.Struct, frozen=True):
    """Something that a live subscriber is to be told; ``record`` is None for a checkpoint."""

    number: int
    position: Position
    record: Record | None


class AllSubscription:
    """``async for message in AllSubscription(...).run()``. ``after``: None for the start."""

    def __init__(
        self,
        log: TransactionLog,
        faults: Faults,
        after: Position | None,
        *,
        uuid_as_text: bool,
        filter: Filter | None,
    ) -> None:
        self._log = log
        self._faults = faults
        self._sent = _BEFORE_EVERYTHING if after is None else after
        self._uuid_as_text = uuid_as_text
        self._filter = filter
        self._allows = visible_to_all if filter is None else filter.allows
        self._last_checkpoint = _BEFORE_EVERYTHING
        self._live: deque[_Live] = deque(maxlen=faults.live_buffer)
        self._written = asyncio.Event()
        self._appeared = 0
        self._looked_at = 0
        self._number = 0

    async def run(self) -> Messages:
        """Raises InvalidPosition, when it comes to read there."""
        last = Position.of(self._log.last_position)
        self._log.listeners.append(self._hear)
        try:
            yield messages.confirmation(uuid4())
            live = self._sent >= last
            while True:
                if not live:
                    async for message in self._catch_up():
                        yield message
                async for message in self._go_live():
                    yield message
                live = False
        finally:
            self._log.listeners.remove(self._hear)

    def _hear(self, block: Sequence[Record]) -> None:
        for record in block:
            position = Position.of(record.position)
            if self._allows(record):
                self._appeared += 1
                self._live.append(_Live(self._appeared, position, record))
            self._looked_at += 1
            if self._filter is not None and self._looked_at >= self._filter.interval:
                self._looked_at = 0
                self._appeared += 1
                self._live.append(_Live(self._appeared, position, None))
        self._written.set()

    async def _catch_up(self) -> Messages:
        start, looked_at = max(self._sent, _FIRST), 0
        while True:
            page = pages.forwards(
                self._log,
                start,
                self._allows,
                count=pages.PAGE_SIZE,
                window=pages.UNBOUNDED if self._filter is None else self._filter.window,
            )
            for record in page.records:
                position = Position.of(record.position)
                if position > self._sent:
                    yield messages.event(record, uuid_as_text=self._uuid_as_text)
                    self._sent = position
            if self._filter is not None and self._sent < page.start < page.next:
                self._sent = page.start
            looked_at += page.considered
            if page.at_end:
                for message in self._checkpoint(self._sent):
                    yield message
                return
            if self._filter is not None and looked_at >= self._filter.interval:
                looked_at %= self._filter.interval
                for message in self._checkpoint(self._sent):
                    yield message
            start = page.next
            await asyncio.sleep(0)

    async def _go_live(self) -> Messages:
        """Ends when the buffer lost something."""
        yield messages.caught_up_all(None if self._sent == _BEFORE_EVERYTHING else self._sent)
        while True:
            while not self._live:
                self._written.clear()
                await self._written.wait()
            next_one = self._live.popleft()
            in_order = next_one.number == self._number + 1
            self._number = next_one.number
            known = next_one.position <= self._sent if next_one.record else next_one.position < self._sent
            if known:
                continue
            if not in_order:
                if self._faults.tells_fell_behind:
                    yield messages.fell_behind(self._sent)
                for message in self._checkpoint(self._sent):
                    yield message
                return
            self._sent = next_one.position
            if next_one.record is not None:
                yield messages.event(next_one.record, uuid_as_text=self._uuid_as_text)
            else:
                for message in self._checkpoint(self._sent):
                    yield message

    def _checkpoint(self, position: Position) -> list[streams_pb2.ReadResp]:
        """None without a filter, none for the very start, none twice."""
        if self._filter is None or position <= self._last_checkpoint:
            return []
        self._last_checkpoint = position
        return [messages.checkpoint(position)]
