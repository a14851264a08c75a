"""The runner: each event counts once, whatever is killed; one at a time; a poison event stops it in plain sight."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import psycopg
import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.eventstore.postgres import PostgresEventStore
from service.domain.account import CreditsGranted
from service.ports.event_store import RecordedEvent
from service.ports.projections import ProjectionStatus
from service.projections import operations
from service.projections.projection import Connection, NotStoppedThere, Projection
from service.projections.registry import PROJECTIONS
from service.projections.runner import RunnerOptions
from tests.support.appending import append
from tests.support.history import History
from tests.support.read_models import QUICK, ReadModels, eventually, running_read_models
from tests.support.samples import granted

SMALL_BATCHES = RunnerOptions(batch_size=20, retry_seconds=0.05, most_backoff_seconds=0.5)


async def kill(models: ReadModels, application_name: str, *, that: str = "true") -> None:
    """Ends the sessions of that name, as an operator or a failing network would; waits for the first of them."""

    async def killed_some() -> bool:
        return bool(
            await models.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = current_database() AND application_name LIKE %s AND {that}",
                application_name,
            )
        )

    await eventually(killed_some, f"there is a session {application_name} to be killed")


async def balances(models: ReadModels, history: History) -> dict[str, int]:
    return {user: (await models.credits.account(user))[0].balance for user in history.users}


def expected_balances(history: History) -> dict[str, int]:
    return {user: account.balance for user, account in history.accounts.items()}


async def assert_agrees(models: ReadModels, history: History) -> None:
    """Every read model says what the domain's states say."""
    await models.caught_up()
    assert await balances(models, history) == expected_balances(history)
    items = {item.item_id for each in history.generations.values() for item in each.items}
    assert {row[0] for row in await models.fetch("SELECT item_id FROM read.gallery_items")} == items
    counted = await models.fetch("SELECT coalesce(sum(count + trashed_count), 0)::int FROM read.gallery_counts")
    assert counted == [(len(items),)]
    unfinished = {each.generation_id for each in history.generations.values() if not each.ended}
    assert {row[0] for row in await models.fetch("SELECT generation_id FROM read.work_list")} == unfinished


async def test_each_event_counts_once_while_connections_are_killed(database: str) -> None:
    async with (
        PostgresEventStore.open(database) as store,
        running_read_models(database, store, options=SMALL_BATCHES) as models,
    ):
        history = History(seed=21)
        chance = random.Random(21)
        for _ in range(20):
            await history.append_to(store, appends=40)
            await kill(models, chance.choice(["triptych projection %", "triptych projection%", "triptych notifier"]))
        await assert_agrees(models, history)


async def test_when_the_active_runner_goes_a_spare_takes_over(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=22)
    async with AsyncExitStack() as spare:
        async with running_read_models(database, store) as first:
            await history.append_to(store, appends=100)
            await first.caught_up()
            second = await spare.enter_async_context(running_read_models(database, store))
            await history.append_to(store, appends=100)
            await second.caught_up()
            assert await lock_holders(second) == len(PROJECTIONS), "one active runner each"
        await history.append_to(store, appends=100)
        await assert_agrees(second, history)


async def lock_holders(models: ReadModels) -> int:
    rows = await models.fetch(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted"
        " AND datname = current_database() AND application_name LIKE 'triptych projection %%'"
    )
    assert isinstance(rows[0][0], int)
    return rows[0][0]


async def test_two_runners_that_both_believe_to_be_alone_write_each_event_once(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint alone is enough: without the lock, whoever has lost its place writes nothing."""

    async def take_no_lock(_runner: object, connection: Connection) -> None:
        await connection.execute("SELECT set_config('search_path', 'rm_credits_1', false)")

    monkeypatch.setattr("service.projections.runner.BuildRunner._take_lock", take_no_lock)
    store = MemoryEventStore()
    history = History(seed=23)
    only = [each for each in PROJECTIONS if each.name == "credits"]
    async with (
        running_read_models(database, store, projections=only, options=SMALL_BATCHES),
        running_read_models(database, store, projections=only, options=SMALL_BATCHES) as models,
    ):
        for _ in range(20):
            await history.append_to(store, appends=20)
            await asyncio.sleep(0)
        await models.caught_up(["credits"])
        assert await balances(models, history) == expected_balances(history)
        entries = await models.fetch("SELECT count(*), count(DISTINCT position) FROM read.ledger")
        assert entries[0][0] == entries[0][1] > 0


def refusing(refused_note: str) -> Projection:
    """A projection that cannot apply grants with a certain note."""

    async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
        for each in events:
            assert isinstance(each.event, CreditsGranted)
            if each.event.note == refused_note:
                raise ValueError(f"no room for {refused_note}")
            await connection.execute("INSERT INTO grants VALUES (%s)", (each.event.grant_id,))
        return set()

    return Projection(
        name="credits",
        version=1,
        event_types=frozenset({"CreditsGranted"}),
        schema_sql="CREATE TABLE grants (grant_id text PRIMARY KEY)",
        tables=("grants",),
        apply=apply,
    )


@pytest.fixture
async def poisoned(database: str) -> AsyncIterator[ReadModels]:
    store = MemoryEventStore()
    async with running_read_models(database, store, projections=[refusing("poison")]) as models:
        yield models


async def stopped(models: ReadModels) -> ProjectionStatus:
    found: list[ProjectionStatus] = []

    async def is_stopped() -> bool:
        found[:] = await operations.statuses(models.pool, head=await models.store.head())
        return found[0].state == "stopped"

    await eventually(is_stopped, "the projection stops")
    return found[0]


async def grants(models: ReadModels) -> list[str]:
    return [row[0] for row in await models.fetch("SELECT grant_id FROM read.grants ORDER BY grant_id")]


async def test_a_poison_event_stops_its_projection_after_the_good_ones(poisoned: ReadModels) -> None:
    for number, note in enumerate(["", "", "poison", ""], start=1):
        await append(poisoned.store, granted(1, grant_id=f"grant-{number}", note=note))
    status = await stopped(poisoned)
    assert (status.error_position, status.position, status.lag, status.serving) == (3, 2, 2, True)
    assert "CreditsGranted at position 3" in status.error
    assert "no room for poison" in status.error
    assert await grants(poisoned) == ["grant-1", "grant-2"]


async def test_an_operator_skips_it_and_it_goes_on(poisoned: ReadModels) -> None:
    for number, note in enumerate(["", "poison", "", "poison", ""], start=1):
        await append(poisoned.store, granted(1, grant_id=f"grant-{number}", note=note))
    await stopped(poisoned)
    with pytest.raises(NotStoppedThere) as refusal:
        await operations.skip(poisoned.pool, "credits", 1, actor="operator", reason="a guess")
    assert refusal.value.stopped_at == (2,)
    await operations.skip(poisoned.pool, "credits", 2, actor="operator", reason="broken by hand")

    async def stopped_at_the_next() -> bool:
        return (await stopped(poisoned)).error_position == 4

    await eventually(stopped_at_the_next, "it reaches the second poison event")
    await operations.skip(poisoned.pool, "credits", 4, actor="operator", reason="the same")
    await poisoned.caught_up(["credits"])
    assert await grants(poisoned) == ["grant-1", "grant-3", "grant-5"]
    assert await poisoned.fetch(
        "SELECT position, event_type, actor, reason FROM read.projection_skips ORDER BY position"
    ) == [(2, "CreditsGranted", "operator", "broken by hand"), (4, "CreditsGranted", "operator", "the same")]
    [status] = await operations.statuses(poisoned.pool, head=5)
    assert (status.state, status.error, status.lag) == ("live", "", 0)


async def test_skipped_events_stay_out_of_rebuilds(poisoned: ReadModels) -> None:
    for number, note in enumerate(["", "poison", ""], start=1):
        await append(poisoned.store, granted(1, grant_id=f"grant-{number}", note=note))
    await stopped(poisoned)
    await operations.skip(poisoned.pool, "credits", 2, actor="operator", reason="broken")
    await poisoned.caught_up(["credits"])
    build = await operations.rebuild(poisoned.pool, "credits", [refusing("poison")])
    async for state in operations.follow_build(poisoned.pool, "credits", build, poll_seconds=0.02):
        assert state.state != "stopped"
    assert await grants(poisoned) == ["grant-1", "grant-3"]


async def test_a_program_that_can_apply_it_goes_on_by_itself(database: str) -> None:
    store = MemoryEventStore()
    async with running_read_models(database, store, projections=[refusing("poison")]) as models:
        await append(store, granted(1, grant_id="grant-1", note="poison"))
        await stopped(models)
    async with running_read_models(database, store, projections=[refusing("another")]) as models:
        await models.caught_up(["credits"])
        assert await grants(models) == ["grant-1"]


async def test_an_event_that_cannot_be_read_is_poison_and_can_be_skipped(database: str) -> None:
    async with (
        PostgresEventStore.open(database) as store,
        running_read_models(database, store, options=QUICK, with_host=False) as idle,
    ):
        for number in range(1, 4):
            await append(store, granted(1, grant_id=f"grant-{number}"))
        await idle.fetch("""UPDATE triptych.events SET data = '{"type": "CreditsGranted", "credits": "many"}'
            WHERE position = 2 RETURNING position""")
        only = [each for each in PROJECTIONS if each.name == "credits"]
        async with running_read_models(database, store, projections=only) as models:
            reached: list[ProjectionStatus] = []

            async def is_stopped() -> bool:
                every = await operations.statuses(models.pool, head=3)
                reached[:] = [each for each in every if each.name == "credits"]
                return reached[0].state == "stopped"

            await eventually(is_stopped, "the projection stops")
            assert (reached[0].position, reached[0].error_position) == (1, 2)
            await operations.skip(models.pool, "credits", 2, actor="operator", reason="unreadable")
            await models.caught_up(["credits"])
            assert (await models.credits.account(granted(1).user_id))[0].balance == 2


async def test_what_passes_by_itself_is_waited_for_and_is_no_poison(database: str) -> None:
    store = MemoryEventStore()
    history = History(seed=24)
    async with running_read_models(database, store) as models:
        async with await psycopg.AsyncConnection.connect(database) as blocker:
            # Writers queue behind this lock; then their sessions end, again and again.
            await blocker.execute("LOCK TABLE read.projections IN SHARE MODE")
            await history.append_to(store, appends=30)
            for _ in range(3):
                await kill(models, "triptych projection %", that="wait_event_type = 'Lock'")
        await assert_agrees(models, history)
        statuses = await operations.statuses(models.pool, head=await store.head())
        assert {each.state for each in statuses} == {"live"}
