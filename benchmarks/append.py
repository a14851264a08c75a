"""Appending, beside ``eventsourcing`` and beside plain psycopg.

Each append has one or two events, each on a stream of its own, of about 250 bytes; the figure is appends a second,
from so many callers at once. In each round, on the same server:

- ours: that many tasks call ``append``, documents not encoded yet;
- ``eventsourcing``: that many threads call its recorder with the same events, encoded beforehand;
- psycopg: one connection writes the same events, encoded beforehand, in transactions of as many events as our group
  commit was seen to make: an advisory lock, without which readers would lose events, and one ``INSERT ... SELECT FROM
  unnest``, prepared, in binary, into a table with the same indexes. No version checks, no repeats, no callers to
  answer. How ours does against the insert alone, which could have one writer only, is noted beside.
"""

from __future__ import annotations

import asyncio
import gc
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean

import psycopg
from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

from benchmarks import peers
from benchmarks.bench import Bench
from benchmarks.case import Case, Kind, Round, Rounds, Row
from service.adapters.eventstore.codec import EncodedEvent, EventCodec
from service.adapters.eventstore.postgres import PostgresEventStore
from service.domain.account import CreditsGranted
from service.ports.event_store import Metadata, NewEvent, StreamWrite

CALLERS = (1, 8, 64, 256)
EVENTS = (1, 2)
_METADATA = Metadata(correlation_id=str(uuid.UUID(int=1)), actor="benchmark")
_TABLE = "CREATE TABLE public.plain (LIKE triptych.events INCLUDING ALL)"
_INSERT = """
INSERT INTO public.plain (position, stream, version, event_id, type, data, metadata, recorded_at)
SELECT (SELECT coalesce(max(position), 0) FROM public.plain) + ordinality, s, v, i, t, d::jsonb, m::jsonb, now()
FROM unnest(%b::text[], %b::int[], %b::uuid[], %b::text[], %b::text[], %b::text[])
    WITH ORDINALITY AS n (s, v, i, t, d, m, ordinality)
"""
_BATCHES = """
SELECT count(*) FROM triptych.events WHERE position > %s GROUP BY xmin ORDER BY min(position)
"""


@dataclass
class Sides:
    """Both rivals and ours, ready to write."""

    conninfo: str
    store: PostgresEventStore
    recorder: ApplicationRecorder
    plain: psycopg.Connection


def rows() -> list[Row]:
    found = []
    for events in EVENTS:
        for callers in CALLERS:
            what = f"append, {_count(callers, 'caller')}, {_count(events, 'event')} each"
            for rival, against, reach in (
                ("eventsourcing", "eventsourcing 9.5.6", 5.0 if callers == 64 else None),
                ("psycopg", "psycopg, equal batches", 0.7),
            ):
                found.append(
                    Row(
                        name=f"append/{rival}/{callers}x{events}",
                        what=what,
                        against=against,
                        kind=Kind.RATE,
                        unit="appends/s",
                        reach=reach,
                        curve=f"against {against}, {_count(events, 'event')} an append",
                        at=callers,
                    )
                )
    return found


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, theirs = await bench.database(), await bench.database(migrated=False)
    recorder = InfrastructureFactory.construct(Environment(env=peers.environment(theirs))).application_recorder()
    with psycopg.connect(conninfo, autocommit=True) as plain:
        plain.execute(_TABLE)
        async with PostgresEventStore.open(conninfo) as store:
            sides = Sides(conninfo, store, recorder, plain)
            for number in range(-1, bench.rounds):  # the first warms up: connections, plans, files
                for events in EVENTS:
                    for callers in CALLERS:
                        async for each in _round(bench, sides, callers, events):
                            if number >= 0:
                                yield each


async def _round(bench: Bench, sides: Sides, callers: int, events: int) -> AsyncIterator[Round]:
    appends = _appends(bench, callers)
    # A pool of threads takes long to fill and a lock serialises them: fewer appends tell as much.
    their_appends = min(appends, bench.size(full=600, quick=150))
    made = [new_events(events) for _ in range(appends)]
    codec = EventCodec()
    encoded = [[codec.encode(each) for each in append] for append in made]

    gc.freeze()  # callers do not have all that they will append at once; nobody looks through these for garbage
    before = await asyncio.to_thread(_eventsourcing, sides.recorder, encoded[:their_appends], callers)
    head = await sides.store.head()
    ours = appends / await _ours(sides.store, made, callers)
    sizes = [row[0] for row in sides.plain.execute(_BATCHES, [head]).fetchall()]
    flat = [each for append in encoded for each in append]
    locked = appends / await asyncio.to_thread(_psycopg, sides.plain, flat, sizes, locked=True)
    again = [each._replace(event_id=uuid.uuid4()) for each in flat]
    bare = appends / await asyncio.to_thread(_psycopg, sides.plain, again, sizes, locked=False)
    notes = {"events a transaction": mean(sizes)}
    yield Round(f"append/eventsourcing/{callers}x{events}", ours, their_appends / before, notes)
    yield Round(f"append/psycopg/{callers}x{events}", ours, locked, {**notes, "to the insert alone": ours / bare})


def _appends(bench: Bench, callers: int) -> int:
    """Enough for a second or less of ours."""
    return {1: 400, 8: 1600, 64: 4800, 256: 7680}[callers] // bench.size(full=1, quick=4)


def new_events(count: int) -> list[NewEvent]:
    """Of one append."""
    return [
        NewEvent(
            uuid.uuid4(),
            CreditsGranted(user_id=f"user-{n}", grant_id=str(uuid.uuid4()), credits=5, note="x" * 120),
            _METADATA,
        )
        for n in range(count)
    ]


async def _ours(store: PostgresEventStore, appends: Sequence[Sequence[NewEvent]], callers: int) -> float:
    """Seconds."""
    waiting = iter(appends)

    async def appender() -> None:
        for events in waiting:
            await store.append([StreamWrite(f"bench-{each.event_id}", 0, (each,)) for each in events])

    started = time.perf_counter()
    await asyncio.gather(*(appender() for _ in range(callers)))
    return time.perf_counter() - started


def _eventsourcing(recorder: ApplicationRecorder, appends: Sequence[Sequence[EncodedEvent]], callers: int) -> float:
    """Seconds."""
    prepared: list[list[StoredEvent]] = [
        [peers.stored(each, uuid.uuid4(), 1) for each in events] for events in appends
    ]
    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(lambda _: None, range(callers)))  # all of them have started
        started = time.perf_counter()
        list(threads.map(recorder.insert_events, prepared))
        return time.perf_counter() - started


def _psycopg(
    connection: psycopg.Connection, events: Sequence[EncodedEvent], batch_sizes: Sequence[int], *, locked: bool
) -> float:
    """Seconds."""
    started, at = time.perf_counter(), 0
    for size in batch_sizes:
        batch = events[at : at + size]
        at += size
        if locked:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(1)", prepare=True)
                _insert(connection, batch)
        else:
            _insert(connection, batch)
    return time.perf_counter() - started


def _insert(connection: psycopg.Connection, batch: Sequence[EncodedEvent]) -> None:
    connection.cursor(binary=True).execute(
        _INSERT,
        [
            [f"bench-{each.event_id}" for each in batch],
            [1] * len(batch),
            [each.event_id for each in batch],
            [each.type for each in batch],
            [each.data.decode() for each in batch],
            [each.metadata.decode() for each in batch],
        ],
        prepare=True,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


CASE = Case("append", rows(), measure, title="Appending", axis="callers", rounds=Rounds(full=4, quick=2))
