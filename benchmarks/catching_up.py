"""Projections that catch up with a log: all of ours together, beside one of ``eventsourcing``.

Ours: the projections of one process (``ProjectionHost``), as the service runs them, build all read models of a seeded
log from nothing. Theirs: its ``ProjectionRunner`` writes one table, like one of our four, from events of accounts.
Both run in this process, one after the other; the figure is events of the log a second, until all read models
(theirs: the one table) are at its end.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
from psycopg import sql

from benchmarks import peers
from benchmarks.bench import Bench, seed
from benchmarks.case import Case, Figure, Kind, Round, Rounds, Row, in_turns
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.postgres.migrations import migrate
from service.adapters.postgres.pool import Connection, connect
from service.adapters.postgres.read_notifier import ReadNotifier
from service.projections.host import ProjectionHost

ROW = Row(
    "catching-up/eventsourcing",
    "projections catch up, all of them together",
    "eventsourcing's ProjectionRunner, one table",
    Kind.RATE,
    "events/s",
    reach=15,
)
LOOK_SECONDS = 0.02
MOST_SECONDS = 1800.0
GRANTS = 100
"""Events of one of their accounts, beside its first."""


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo = await bench.database()
    bench.tell("seeding a log for projections")
    count = await seed(conninfo, bench.folder / "catching-up", bench.size(full=60_000, quick=10_000))

    async def ours() -> Figure:
        await forget_read_models(conninfo)
        started = time.perf_counter()
        async with _projections(conninfo):
            await caught_up(conninfo)
            return Figure(count / (time.perf_counter() - started))

    async def theirs() -> Figure:
        database = await bench.database(migrated=False)
        return Figure(await asyncio.to_thread(_eventsourcing, database, bench.size(full=30, quick=5)))

    async for each in in_turns(bench, ROW.name, ours, theirs):
        yield each


async def forget_read_models(conninfo: str) -> None:
    """All of them, so that they are built from the beginning."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        cursor = await connection.execute("SELECT schema_name FROM read.projections")
        for (schema,) in [("read",), *await cursor.fetchall()]:
            await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
        await connection.execute("DELETE FROM triptych.schema_migrations WHERE name LIKE 'read_models/%'")
    await migrate(conninfo, "read_models")


async def caught_up(conninfo: str, *, share: float = 1.0) -> None:
    """Returns when all projections have come to this share of the log. Raises TimeoutError after half an hour."""
    async with asyncio.timeout(MOST_SECONDS), await psycopg.AsyncConnection.connect(conninfo) as connection:
        await connection.set_autocommit(True)
        while True:
            cursor = await connection.execute(
                "SELECT bool_and(live AND position >= %s * (SELECT max(position) FROM triptych.events))"
                " FROM read.projections",
                [share],
            )
            if await cursor.fetchone() == (True,):
                return
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def _projections(conninfo: str) -> AsyncIterator[None]:
    async def connect_read_models(application_name: str) -> Connection:
        return await connect(conninfo, application_name=application_name)

    notifier = ReadNotifier(conninfo)
    async with PostgresEventStore.open(conninfo) as store:
        tasks = [
            asyncio.create_task(notifier.run()),
            asyncio.create_task(ProjectionHost(store, connect_read_models, notifier).run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


def _eventsourcing(conninfo: str, account_count: int) -> float:
    """Events a second."""
    application = peers.Accounts(env=peers.environment(conninfo))
    accounts = [peers.Account(f"user-{number}") for number in range(account_count)]
    for account in accounts:
        for _ in range(GRANTS):
            account.grant(credits=5, note=str(uuid.uuid4()))
    for account in accounts:  # all in one transaction would be more than its pipeline takes: it then waits for ever
        last = application.save(account)[-1].notification.id
    application.close()
    started = time.perf_counter()
    with peers.runner(conninfo) as runner:
        # Its wait() looks more seldom the longer it waits, up to every 0.8 s: too coarse for a rate.
        while (reached := runner.view.max_tracking_id("Accounts") or 0) < last:
            if runner.is_interrupted.wait(LOOK_SECONDS):
                runner.run_forever()  # raises what stopped it
        seconds = time.perf_counter() - started
    return reached / seconds


CASE = Case("catching-up", [ROW], measure, title="Projections", rounds=Rounds(full=4, quick=3))
