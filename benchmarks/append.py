"""How fast the PostgreSQL store appends, against plain psycopg with equal batches.

    python -m benchmarks.append [--rounds 7] [--appenders 64] [--appends 4000] [--conninfo ...]

The rival is what one would write by hand: documents encoded beforehand, one ``INSERT ... SELECT FROM unnest``
a transaction under an advisory lock, into a table with the same indexes; no version checks, no repeats, no
concurrent callers. It gets the batch sizes that our group commit was seen to make. Both write the same events
(about 250 bytes of data, one a stream) to the same server; rounds are interleaved, and the median of the rounds'
ratios is what counts: on a shared machine absolute figures say little.

Without ``--conninfo`` an embedded PostgreSQL with fsync on is started in a temporary folder.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.eventstore.codec import EncodedEvent, EventCodec
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.postgres.migrations import migrate
from service.domain.account import CreditsGranted
from service.ports.event_store import Metadata, NewEvent, StreamWrite

_METADATA = Metadata(correlation_id=str(uuid.UUID(int=1)), actor="benchmark")
_RIVAL_TABLE = """
CREATE TABLE IF NOT EXISTS public.rival (LIKE triptych.events INCLUDING ALL)
"""
_RIVAL_INSERT = """
INSERT INTO public.rival (position, stream, version, event_id, type, data, metadata, recorded_at)
SELECT (SELECT coalesce(max(position), 0) FROM public.rival) + ordinality, s, v, i, t, d::jsonb, m::jsonb, now()
FROM unnest(%b::text[], %b::int[], %b::uuid[], %b::text[], %b::text[], %b::text[])
    WITH ORDINALITY AS n (s, v, i, t, d, m, ordinality)
"""


def new_events(count: int) -> list[NewEvent]:
    return [
        NewEvent(
            uuid.uuid4(),
            CreditsGranted(user_id=f"user-{n}", grant_id=str(uuid.uuid4()), credits=5, note="x" * 120),
            _METADATA,
        )
        for n in range(count)
    ]


async def ours(store: PostgresEventStore, events: list[NewEvent], appenders: int) -> float:
    """Seconds that ``appenders`` concurrent callers take for one append an event."""
    waiting = iter(events)

    async def appender() -> None:
        for new in waiting:
            await store.append([StreamWrite(f"bench-{new.event_id}", 0, (new,))])

    started = time.perf_counter()
    await asyncio.gather(*(appender() for _ in range(appenders)))
    return time.perf_counter() - started


async def rivals(conninfo: str, encoded: list[EncodedEvent], batch_sizes: list[int]) -> float:
    """Seconds that one connection takes for the same events in these batches."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        started = time.perf_counter()
        at = 0
        for size in batch_sizes:
            batch = encoded[at : at + size]
            at += size
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(1)")
                await connection.execute(
                    _RIVAL_INSERT,
                    [
                        [f"bench-{each.event_id}" for each in batch],
                        [1] * len(batch),
                        [each.event_id for each in batch],
                        [each.type for each in batch],
                        [each.data.decode() for each in batch],
                        [each.metadata.decode() for each in batch],
                    ],
                )
        return time.perf_counter() - started


async def batch_sizes_since(conninfo: str, position: int) -> list[int]:
    """How many events each of our transactions wrote."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT count(*) FROM triptych.events WHERE position > %s GROUP BY xmin ORDER BY min(position)",
            [position],
        )
        return [row[0] for row in await cursor.fetchall()]


async def run(conninfo: str, rounds: int, appenders: int, appends: int) -> None:
    codec = EventCodec()
    await migrate(conninfo, "events")
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(_RIVAL_TABLE)
    table = Table("round", "ours, events/s", "psycopg, events/s", "events a batch", "ratio")
    ratios = []
    async with PostgresEventStore.open(conninfo) as store:
        await ours(store, new_events(200), appenders)  # connections, plans
        for number in range(1, rounds + 1):
            events = new_events(appends)
            encoded = [codec.encode(each) for each in events]
            head = await store.head()
            our_seconds = await ours(store, events, appenders)
            sizes = await batch_sizes_since(conninfo, head)
            their_seconds = await rivals(conninfo, encoded, sizes)
            ratios.append(their_seconds / our_seconds)
            table.add_row(
                str(number),
                f"{appends / our_seconds:,.0f}",
                f"{appends / their_seconds:,.0f}",
                f"{statistics.mean(sizes):.1f}",
                f"{ratios[-1]:.2f}",
            )
    console = Console()
    console.print(table)
    console.print(f"{appenders} appenders, {appends} appends a round: median ratio {statistics.median(ratios):.2f}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--appenders", type=int, default=64)
    parser.add_argument("--appends", type=int, default=4000, help="a round, of one event each")
    parser.add_argument("--conninfo", help="of an empty database to use instead of an embedded one")
    arguments = parser.parse_args()
    async with AsyncExitStack() as stack:
        conninfo = arguments.conninfo
        if conninfo is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="triptych-bench-"))
            conninfo = (await stack.enter_async_context(EmbeddedPostgres(Path(folder)))).conninfo
        await run(conninfo, arguments.rounds, arguments.appenders, arguments.appends)


if __name__ == "__main__":
    asyncio.run(main())
