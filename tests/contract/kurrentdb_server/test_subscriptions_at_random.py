"""Whatever is written while a subscriber reads, and however slowly it reads: each event once, in order, and a
checkpoint (or caught up) says the truth of everything before it."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import pytest

from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.log import NewRecord, Record, TransactionLog
from tests.support.kurrentdb.pages import Position
from tests.support.kurrentdb.subscriptions import AllSubscription, Filter

RARE = "Rare"


def _is_rare(record: Record) -> bool:
    return record.type == RARE


class Writer:
    """Appends blocks of one to six events, a third of them rare, and lets others run in between."""

    def __init__(self, log: TransactionLog, source: random.Random) -> None:
        self._log = log
        self._source = source

    def append(self) -> None:
        types = [self._source.choice([RARE, "Other", "Other"]) for _ in range(self._source.randint(1, 6))]
        self._log.append([("a", NewRecord(uuid4(), name, True, b"{}", b"", 0)) for name in types])

    async def run(self, blocks: int) -> None:
        for _ in range(blocks):
            self.append()
            for _ in range(self._source.randint(0, 4)):
                await asyncio.sleep(0)
        # The last one is for the reader: it knows when it has all.
        self._log.append([("end", NewRecord(uuid4(), RARE, True, b"{}", b"", 0))])


@pytest.mark.parametrize("seed", range(30))
async def test_nothing_is_missed_or_repeated_and_checkpoints_hold(seed: int) -> None:
    source = random.Random(seed)
    log = TransactionLog()
    writer = Writer(log, source)
    for _ in range(source.randint(0, 40)):
        writer.append()
    after = source.choice([None, *(record.position for record in log.records)])
    start = None if after is None else Position.of(after)
    window = source.randint(1, 20)
    subscription = AllSubscription(
        log,
        Faults(live_buffer=source.choice([1, 2, 5, 32])),
        start,
        uuid_as_text=True,
        filter=Filter(_is_rare, window, window * source.randint(1, 4)),
    ).run()

    writing = asyncio.create_task(writer.run(40))
    heard: list[Position] = []
    promises = 0
    async for message in subscription:
        for _ in range(source.randint(0, 3)):
            await asyncio.sleep(0)
        kind = message.WhichOneof("content")
        if kind == "event":
            heard.append(Position.of(message.event.event.commit_position))
            if message.event.event.stream_identifier.stream_name == b"end":
                break
        elif kind in ("checkpoint", "caught_up"):
            told = message.checkpoint if kind == "checkpoint" else message.caught_up.position
            promised = Position(told.commit_position, told.prepare_position)
            assert heard == [each for each in _rare_after(log, start) if each <= promised], f"{kind} at {promised}"
            promises += 1
    await writing
    assert heard == _rare_after(log, start)
    assert promises > 0


def _rare_after(log: TransactionLog, start: Position | None) -> list[Position]:
    positions = [Position.of(record.position) for record in log.records if _is_rare(record)]
    return [each for each in positions if start is None or each > start]
