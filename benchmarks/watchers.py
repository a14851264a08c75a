"""Thousands of watchers of galleries on one process of the service, each told of one change.

    python -m benchmarks.watchers        # the watchers' process; the benchmark starts it

Every watcher watches the gallery of its own user (``WatchItems``), over a few channels of one client process. Then
an item of every user is marked as a favourite, by concurrent appends, and the clock runs from before the first append
until the last watcher has been told. The service's process (roles ``api`` and ``projector``) writes the read models
too. A watcher that is not told within two minutes is dropped, and the benchmark fails.

Memory is what the service's process holds more (resident) once they all watch. Five thousand are held against the
first thousand of them: a watcher should cost the same.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import msgspec
import psutil
import psycopg
import uvloop
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub

from benchmarks.bench import Bench
from benchmarks.case import Case, Kind, Round, Rounds, Row
from benchmarks.galleries import OUTPUTS, fill
from benchmarks.serving import serving
from benchmarks.side_process import SideProcess, side_process
from service.adapters.eventstore.postgres import PostgresEventStore
from service.domain.generation.events import ItemFavorited
from service.domain.ids import generation_stream, split_item_id
from service.ports.event_store import NewEvent, StreamWrite

FEW, MANY = 1_000, 5_000
STREAMS_A_CHANNEL = 500
MOST_SECONDS = 120.0
AGAINST = f"the first {FEW:,} of them"
ROWS = [
    Row(
        "watchers/time",
        f"{MANY:,} watchers on one process, until all are told, a watcher",
        AGAINST,
        Kind.TIME,
        "ms",
    ),
    Row(
        "watchers/memory",
        f"{MANY:,} watchers on one process, memory a watcher",
        AGAINST,
        Kind.SIZE,
        "KiB",
        reach=1.2,
    ),
]


class Dropped(Exception):
    """Some watchers were not told of their change in time."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} watchers were not told of their change within {MOST_SECONDS:.0f} s")
        self.count = count


class Watch(msgspec.Struct, frozen=True):
    """An order to the watchers' process: more users to watch. Answered when all of them watch."""

    address: str
    users: list[str]


class Told(msgspec.Struct, frozen=True):
    """What the process answers to an empty line: when the last watcher was told, and how many were not."""

    last_at: float
    """``time.time``"""
    dropped: int


class Watchers:
    """Made by ``watching``."""

    def __init__(self, process: SideProcess) -> None:
        self._process = process

    async def watch(self, address: str, users: list[str]) -> None:
        """Returns when all of these watch, beside those that do."""
        await self._process.ask(msgspec.json.encode(Watch(address, users)))

    async def all_told(self) -> Told:
        """Returns when the last of them was told of the change. Raises Dropped."""
        told = msgspec.json.decode(await self._process.ask(b""), type=Told)
        if told.dropped:
            raise Dropped(told.dropped)
        return told


@asynccontextmanager
async def watching() -> AsyncIterator[Watchers]:
    """A process of watchers, for as long as the block."""
    async with side_process("benchmarks.watchers") as process:
        yield Watchers(process)


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "watchers"
    few, many = bench.size(full=(FEW, MANY), quick=(FEW // 10, MANY // 10))
    users = [f"user-{number}" for number in range(many)]
    bench.tell(f"making {many:,} galleries to watch")
    await fill(conninfo, dict.fromkeys(users, OUTPUTS), folder)
    items = await _unmarked(conninfo)
    for _ in range(bench.rounds):
        with serving("api,projector", conninfo, folder) as service:
            memory = psutil.Process(service.process.pid).memory_info
            async with watching() as watchers, PostgresEventStore.open(conninfo) as store:
                before = memory().rss
                seconds, kibibytes = [], []
                for count, added in ((few, users[:few]), (many, users[few:])):
                    await watchers.watch(service.ready["api"], added)
                    kibibytes.append((memory().rss - before) / 1024 / count)
                    started = time.time()
                    await asyncio.gather(*(store.append([items[user].pop()]) for user in users[:count]))
                    told = await watchers.all_told()
                    seconds.append(told.last_at - started)
        notes = {f"all {few:,}, s": seconds[0], f"all {many:,}, s": seconds[1], "dropped": float(told.dropped)}
        yield Round("watchers/time", 1000 * seconds[1] / many, 1000 * seconds[0] / few, notes)
        yield Round("watchers/memory", kibibytes[1], kibibytes[0], {"all, MiB": kibibytes[1] * many / 1024})


async def _unmarked(conninfo: str) -> dict[str, list[StreamWrite]]:
    """By user: appends that mark one item after the other."""
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        cursor = await connection.execute("SELECT user_id, item_id, index FROM read.gallery_items ORDER BY item_id")
        found: dict[str, list[StreamWrite]] = {}
        for user_id, item_id, index in await cursor.fetchall():
            generation_id, _ = split_item_id(item_id)
            event = ItemFavorited(generation_id=generation_id, item_id=item_id)
            # After the request, the outputs, the end, and the marks of the items that come later in this list.
            version = 1 + OUTPUTS + 1 + (OUTPUTS - 1 - index)
            write = StreamWrite(generation_stream(generation_id), version, (NewEvent(uuid.uuid4(), event),))
            found.setdefault(user_id, []).append(write)
        return found


class _Watchers:
    """In the watchers' process."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._channels: list[grpc.aio.Channel] = []
        self._ready = 0
        self._told = 0
        self._last_at = 0.0
        self._news = asyncio.Condition()

    async def watch(self, order: Watch) -> None:
        for start in range(0, len(order.users), STREAMS_A_CHANNEL):
            # An option of its own gives each channel a connection of its own.
            channel = grpc.aio.insecure_channel(order.address, [("grpc.use_local_subchannel_pool", 1)])
            self._channels.append(channel)
            for user in order.users[start : start + STREAMS_A_CHANNEL]:
                self._tasks.append(asyncio.create_task(self._follow(channel, user)))
        async with asyncio.timeout(MOST_SECONDS), self._news:
            await self._news.wait_for(lambda: self._ready == len(self._tasks))

    async def _follow(self, channel: grpc.aio.Channel, user: str) -> None:
        caught_up = False
        async for response in GalleryServiceStub(channel).WatchItems(pb.WatchItemsRequest(user_id=user)):
            async with self._news:
                if caught_up:
                    self._told += 1
                    self._last_at = time.time()
                elif response.caught_up:
                    caught_up = True
                    self._ready += 1
                self._news.notify_all()

    async def told(self) -> Told:
        missing = len(self._tasks)
        try:
            async with asyncio.timeout(MOST_SECONDS), self._news:
                await self._news.wait_for(lambda: self._told >= len(self._tasks))
                missing = 0
        except TimeoutError:
            missing = len(self._tasks) - self._told
        self._told = 0
        return Told(self._last_at, missing)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for channel in self._channels:
            await channel.close()


async def main() -> None:
    """Carries out orders until standard input ends."""
    watchers = _Watchers()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        answer: object = None
        if line.strip():
            await watchers.watch(msgspec.json.decode(line, type=Watch))
        else:
            answer = await watchers.told()
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
    await watchers.stop()


if __name__ == "__main__":
    uvloop.run(main())

CASE = Case("watchers", ROWS, measure, rounds=Rounds(full=2, quick=1))
