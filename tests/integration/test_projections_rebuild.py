"""Rebuilds: the same rows as before, beside the live ones, and no reader ever sees less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.ports.event_store import RecordedEvent
from service.projections import operations
from service.projections.credits import CREDITS
from service.projections.gallery import GALLERY
from service.projections.projection import Connection, Projection
from service.projections.registry import PROJECTIONS
from service.projections.runner import RunnerOptions
from tests.support.history import History
from tests.support.read_models import ReadModels, eventually, running_read_models

# Leases are no facts, and the order of rows is nobody's concern.
TABLES = {
    "gallery_items": "*",
    "gallery_counts": "*",
    "generations": "*",
    "accounts": "*",
    "ledger": "*",
    "work_list": "generation_id, user_id, position, due_at, deadline_at, attempt",
}
NEXT_CREDITS = replace(
    CREDITS,
    version=2,
    schema_sql=CREDITS.schema_sql.replace(
        "CREATE TABLE accounts (", "CREATE TABLE accounts (tier text DEFAULT 'new',"
    ),
)


async def contents(models: ReadModels) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: await models.fetch(f"SELECT {columns} FROM read.{table} AS t ORDER BY t::text")
        for table, columns in TABLES.items()
    }


async def rebuild(models: ReadModels, projections: Sequence[Projection] = PROJECTIONS) -> None:
    """All of them at once, until they serve."""

    async def one(projection: Projection) -> None:
        build = await operations.rebuild(models.pool, projection.name, projections)
        async for state in operations.follow_build(models.pool, projection.name, build, poll_seconds=0.02):
            assert state.state != "stopped"

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for projection in projections:
            group.create_task(one(projection))


async def serving(models: ReadModels, name: str) -> tuple[int, int]:
    """``(version, build)`` of what readers read."""
    rows = await models.fetch("SELECT version, build FROM read.projections WHERE name = %s AND live", name)
    return rows[0][0], rows[0][1]


async def schemas(models: ReadModels, name: str) -> set[str]:
    rows = await models.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s", f"rm\\_{name}\\_%")
    return {row[0] for row in rows}


@pytest.mark.parametrize("seed", [31, 32])
async def test_a_rebuild_is_the_live_one_row_for_row(database: str, seed: int) -> None:
    store = MemoryEventStore()
    history = History(seed=seed, users=4)
    small = RunnerOptions(batch_size=7, retry_seconds=0.05)
    async with running_read_models(database, store, options=small) as models:
        for number in range(20):
            await history.append_to(store, appends=60)
            await history.import_to(store, items=2, seed=number)
            await asyncio.sleep(0)
        await models.caught_up()
        before = await contents(models)
    assert all(before.values())
    async with running_read_models(database, store, options=RunnerOptions(batch_size=700)) as models:
        await rebuild(models)
        assert await contents(models) == before
        for projection in PROJECTIONS:
            assert await serving(models, projection.name) == (projection.version, 2)
            dropped = {f"rm_{projection.name}_2"}

            async def old_is_gone(name: str = projection.name, left: set[str] = dropped) -> bool:
                return await schemas(models, name) == left

            await eventually(old_is_gone, "the old build is dropped")


async def test_readers_never_see_less_during_rebuilds_and_writes(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=33, users=1)
    user = history.users[0]
    done = asyncio.Event()

    async def read(models: ReadModels) -> int:
        reads, last_count, last_position, last_entries = 0, 0, 0, 0
        while not done.is_set():
            counts, position = await models.gallery.count_items(user)
            count = sum(each.count + each.trashed_count for each in counts)
            entries = await models.credits.ledger(user, before_entry_number=0, limit=1)
            newest = entries.entries[0].entry_number
            assert count >= last_count
            assert position >= last_position
            assert newest >= last_entries
            reads, last_count, last_position, last_entries = reads + 1, count, position, newest
        return reads

    async def write() -> None:
        while not done.is_set():
            await history.append_to(store, appends=5)
            await asyncio.sleep(0.005)

    async with running_read_models(database, store, options=RunnerOptions(batch_size=50)) as models:
        await history.append_to(store, appends=400)
        await models.caught_up()
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(read(models)) for _ in range(3)]
            group.create_task(write())
            for _ in range(3):
                await rebuild(models, [GALLERY, CREDITS])
            done.set()
        assert all(reader.result() > 0 for reader in readers)
        assert await serving(models, "gallery") == (GALLERY.version, 4)


async def test_a_new_version_is_built_beside_the_old_program_and_then_serves(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=34)
    await history.append_to(store, appends=150)
    async with running_read_models(database, store, projections=[CREDITS]) as old:
        await old.caught_up(["credits"])
        async with running_read_models(database, store, projections=[NEXT_CREDITS]) as new:

            async def switched() -> bool:
                return await serving(old, "credits") == (2, 2)

            await eventually(switched, "the new version serves")
            await history.append_to(store, appends=50)
            await new.caught_up(["credits"])
            assert await new.fetch("SELECT DISTINCT tier FROM read.accounts") == [("new",)]
            for user in history.users:
                account, _ = await old.credits.account(user)
                assert account.balance == history.accounts[user].balance
    async with running_read_models(database, store, projections=[CREDITS]) as late:
        # An old program that starts once more does not take the new version away.
        [status] = await operations.statuses(late.pool, head=await store.head())
        assert (status.version, status.build, status.state) == (2, 2, "live")


async def test_a_new_version_serves_even_if_the_old_program_is_gone(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=35)
    await history.append_to(store, appends=100)
    async with running_read_models(database, store, projections=[CREDITS]) as old:
        await old.caught_up(["credits"])
    async with running_read_models(database, store, projections=[NEXT_CREDITS]) as new:

        async def switched() -> bool:
            return await serving(new, "credits") == (2, 2)

        await eventually(switched, "the new version serves")
        await new.caught_up(["credits"])


async def test_an_interrupted_rebuild_goes_on_where_it_stopped(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=36)
    await history.append_to(store, appends=300)
    first_seen: list[int] = []
    half_way = asyncio.Event()

    def version_two(*, stop_at: int | None) -> Projection:
        async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
            first_seen.append(events[0].position)
            if stop_at is not None and events[0].position > stop_at:
                half_way.set()
                await asyncio.Event().wait()
            return await CREDITS.apply(events, connection)

        return replace(NEXT_CREDITS, apply=apply)

    async with running_read_models(database, store, projections=[CREDITS]) as old:
        await old.caught_up(["credits"])
    small = RunnerOptions(batch_size=20)
    half = await store.head() // 2
    async with running_read_models(
        database, store, projections=[version_two(stop_at=half)], options=small
    ) as interrupted:
        async with asyncio.timeout(60):
            await half_way.wait()
        assert await serving(interrupted, "credits") == (1, 1)
    first_seen.clear()
    async with running_read_models(
        database, store, projections=[version_two(stop_at=None)], options=small
    ) as resumed:

        async def switched() -> bool:
            return await serving(resumed, "credits") == (2, 2)

        await eventually(switched, "the rebuild is finished")
        assert min(first_seen) > half
        for user in history.users:
            account, _ = await resumed.credits.account(user)
            assert account.balance == history.accounts[user].balance


async def test_a_switch_waits_for_readers_and_others_read_on(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=37, users=1)
    await history.append_to(store, appends=100)
    async with running_read_models(database, store, projections=[CREDITS]) as models:
        await models.caught_up(["credits"])
        async with await psycopg.AsyncConnection.connect(database) as slow:
            await slow.execute("SELECT count(*) FROM read.accounts")
            await operations.rebuild(models.pool, "credits", [CREDITS])

            async def switch_waits() -> bool:
                return bool(
                    await models.fetch(
                        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                        " AND wait_event_type = 'Lock' AND application_name LIKE 'triptych projection %%'"
                    )
                )

            await eventually(switch_waits, "the switch waits for the reader")
            for _ in range(20):
                account, _ = await models.credits.account(history.users[0])
                assert account.balance == history.accounts[history.users[0]].balance
            assert await serving(models, "credits") == (1, 1)
            again = await slow.execute("SELECT count(*) FROM read.accounts")
            assert await again.fetchone() == (1,)

        async def switched() -> bool:
            return await serving(models, "credits") == (1, 2)

        await eventually(switched, "the rebuild serves once the reader is gone")


async def test_a_rebuild_that_cannot_apply_the_last_events_stops_and_the_live_one_serves_on(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=38)
    await history.append_to(store, appends=60)

    async def refuse_the_last(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
        if any(each.position > last for each in events):
            raise ValueError("too new")
        return await CREDITS.apply(events, connection)

    last = await store.head()
    async with running_read_models(database, store, projections=[CREDITS]) as old:
        await history.append_to(store, appends=5)
        await old.caught_up(["credits"])
        new = replace(NEXT_CREDITS, apply=refuse_the_last)
        async with running_read_models(database, store, projections=[new]):

            async def stopped() -> bool:
                states = await operations.statuses(old.pool, head=0)
                return [(each.version, each.state, each.serving) for each in states] == [
                    (1, "live", True),
                    (2, "stopped", False),
                ]

            await eventually(stopped, "the new version stops beside the old one")
            await history.append_to(store, appends=5)
            await old.caught_up(["credits"])


async def test_asking_twice_is_asking_once(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS], with_host=False) as models:
        first = await operations.rebuild(models.pool, "credits", [CREDITS])
        assert await operations.rebuild(models.pool, "credits", [CREDITS]) == first == 2
        with pytest.raises(KeyError, match="there is no projection 'credit'"):
            await operations.rebuild(models.pool, "credit")
