"""From an append until it is seen, beside ``eventsourcing``.

Ours: an item is marked (or unmarked) as a favourite by an append to the store, and a client that watches the gallery
of its owner over gRPC (``WatchItems``, from a service process) hears of it. Theirs: an aggregate is saved, and
``wait()`` for its position returns; the application and its projection runner are in this process. Both times begin
before the append, so they contain it. Nothing else happens *at rest*; *under load* so many other appends a second go
on at even intervals, on both sides.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field

import grpc
import psycopg
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub

from benchmarks import peers
from benchmarks.bench import Bench, environment_of, seed
from benchmarks.case import Case, Kind, Round, Rounds, Row
from benchmarks.catching_up import caught_up
from benchmarks.figures import percentile
from demo.processes import running
from service.adapters.eventstore.postgres import PostgresEventStore
from service.domain.generation.events import ItemFavorited, ItemUnfavorited
from service.ports.event_store import NewEvent, StreamWrite

APPENDS_A_SECOND = 200
"""Of the load. ``eventsourcing`` on two cores has some room left with so many."""
MOST_SECONDS = 60.0
CONDITIONS = ("at rest", "under load")
SHARES = {"p50": 0.5, "p99": 0.99}
ROWS = [
    Row(
        f"seen/{condition.replace(' ', '-')}/{name}",
        f"from append to seen in WatchItems, {condition}, {name}",
        "eventsourcing's wait() for the position",
        Kind.TIME,
        "ms",
        reach=0.2,
    )
    for condition in CONDITIONS
    for name in SHARES
]


@dataclass
class Item:
    """One that is marked and unmarked in turn."""

    item_id: str
    generation_id: str
    user_id: str
    version: int
    favorite: bool

    def toggle(self) -> StreamWrite:
        """The next append."""
        kind = ItemUnfavorited if self.favorite else ItemFavorited
        event = kind(generation_id=self.generation_id, item_id=self.item_id)
        write = StreamWrite(f"generation-{self.generation_id}", self.version, (NewEvent(uuid.uuid4(), event),))
        self.favorite, self.version = not self.favorite, self.version + 1
        return write


@dataclass
class Watched:
    """How far the watcher has heard, and when it did."""

    position: int = 0
    at: float = 0.0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def follow(self, address: str, user_id: str) -> None:
        """Until it is cancelled."""
        async with grpc.aio.insecure_channel(address) as channel:
            async for response in GalleryServiceStub(channel).WatchItems(pb.WatchItemsRequest(user_id=user_id)):
                now = time.perf_counter()
                async with self.news:
                    self.position, self.at = response.position, now
                    self.news.notify_all()

    async def reached(self, position: int) -> float:
        """The time at which it heard of this position, by ``perf_counter``. Raises TimeoutError."""
        async with asyncio.timeout(MOST_SECONDS), self.news:
            await self.news.wait_for(lambda: self.position >= position)
            return self.at


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "seen"
    folder.mkdir()
    bench.tell("seeding galleries to watch")
    await seed(conninfo, folder, 5000)
    theirs = await bench.database(migrated=False)
    environment = environment_of(folder, conninfo)
    arguments = ["serve", "--roles", "api,projector", "--json"]
    with (
        running("service", arguments, environment=environment, log_file=folder / "service.log") as service,
        peers.runner(theirs) as runner,
    ):
        await caught_up(conninfo)
        items = _items(conninfo)
        async with PostgresEventStore.open(conninfo) as store, _watching(service.ready["api"], items[0]) as watched:
            samples = bench.size(full=40, quick=10)
            await _ours(store, watched, items, samples, load=True)  # warms up
            await asyncio.to_thread(_theirs, runner, samples, load=True)
            for _ in range(bench.rounds):
                for condition in CONDITIONS:
                    load = condition == CONDITIONS[1]
                    our_times = await _ours(store, watched, items, samples, load=load)
                    their_times = await asyncio.to_thread(_theirs, runner, samples, load=load)
                    for name, share in SHARES.items():
                        yield Round(
                            f"seen/{condition.replace(' ', '-')}/{name}",
                            1000 * percentile(our_times, share),
                            1000 * percentile(their_times, share),
                        )


def _items(conninfo: str) -> list[Item]:
    """The first is of a user of whom no other is."""
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(
            "SELECT item_id, generation_id, user_id, (SELECT max(version) FROM triptych.events"
            " WHERE stream = 'generation-' || generation_id), favorite"
            " FROM (SELECT DISTINCT ON (user_id) * FROM read.gallery_items WHERE NOT trashed) AS item LIMIT 50"
        )
        return [Item(*row) for row in found.fetchall()]


@asynccontextmanager
async def _watching(address: str, item: Item) -> AsyncIterator[Watched]:
    watched = Watched()
    task = asyncio.create_task(watched.follow(address, item.user_id))
    try:
        await watched.reached(1)
        yield watched
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _ours(
    store: PostgresEventStore, watched: Watched, items: list[Item], samples: int, *, load: bool
) -> list[float]:
    """Seconds."""
    source, found = random.Random(1), []  # noqa: S311
    async with _load(store, items[1:]) if load else nullcontext():
        for _ in range(samples):
            started = time.perf_counter()
            position = await store.append([items[0].toggle()])
            found.append(await watched.reached(position) - started)
            await asyncio.sleep(source.uniform(0, 0.02))  # in step with nothing
    return found


@asynccontextmanager
async def _load(store: PostgresEventStore, items: list[Item]) -> AsyncIterator[None]:
    stop = asyncio.Event()

    async def keep_appending() -> None:
        number, due = 0, time.perf_counter()
        while not stop.is_set():
            await store.append([items[number % len(items)].toggle()])
            number, due = number + 1, due + 1 / APPENDS_A_SECOND
            await asyncio.sleep(max(due - time.perf_counter(), 0))

    task = asyncio.create_task(keep_appending())
    try:
        yield
    finally:
        stop.set()  # not cancelled: the last append is to tell its version
        await task


def _theirs(runner: peers.Runner, samples: int, *, load: bool) -> list[float]:
    """Seconds."""
    source, found = random.Random(1), []  # noqa: S311
    account = peers.Account("user")
    runner.app.save(account)
    with peers.background(_saving(runner)) if load else nullcontext():
        for _ in range(samples):
            account.grant(credits=5, note=str(uuid.uuid4()))
            started = time.perf_counter()
            position = runner.app.save(account)[-1].notification.id
            runner.wait(position, timeout=MOST_SECONDS)
            found.append(time.perf_counter() - started)
            time.sleep(source.uniform(0, 0.02))
    return found


def _saving(runner: peers.Runner) -> Callable[[threading.Event], None]:
    def keep_saving(stop: threading.Event) -> None:
        account, due = peers.Account("another user"), time.perf_counter()
        while not stop.wait(max(due - time.perf_counter(), 0)):
            account.grant(credits=5, note=str(uuid.uuid4()))
            runner.app.save(account)
            due += 1 / APPENDS_A_SECOND

    return keep_saving


CASE = Case("seen", ROWS, measure, title="From an append to a watcher", rounds=Rounds(full=4, quick=2))
