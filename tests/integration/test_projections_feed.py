"""Waiting and watching: heard at once, and found out in any case."""

from __future__ import annotations

import asyncio

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.ports.projections import ProjectionBehind
from service.projections.credits import CREDITS
from tests.support.appending import append
from tests.support.read_models import PATIENCE_SECONDS, ReadModels, eventually, running_read_models
from tests.support.samples import OTHER_USER, USER, granted


async def test_a_caller_reads_its_own_write(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        for number in range(1, 30):
            position = await append(models.store, granted(1, grant_id=f"grant-{number}"))
            reached = await models.feed.wait("credits", position, timeout_seconds=PATIENCE_SECONDS)
            assert reached >= position
            account, seen = await models.credits.account(USER)
            assert (account.balance, seen >= position) == (number, True)


async def test_waiting_for_what_does_not_come_is_bounded_and_says_how_far_it_is(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        position = await append(models.store, granted(1))
        await models.caught_up(["credits"])
        with pytest.raises(ProjectionBehind) as behind:
            await models.feed.wait("credits", position + 1, timeout_seconds=0.05)
        assert (behind.value.projection, behind.value.wanted, behind.value.reached) == (
            "credits",
            position + 1,
            position,
        )


async def balance_is_seen(models: ReadModels, wanted: int) -> None:
    """By a watcher that reads when it is woken and only then."""
    watching = models.feed.watch("credits", USER)
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for _ in watching:
            account, _ = await models.credits.account(USER)
            if account.balance == wanted:
                break
    await watching.aclose()  # type: ignore[attr-defined]


async def test_a_watcher_is_woken_at_once_and_when_its_rows_change(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        await balance_is_seen(models, 0)
        watching = asyncio.create_task(balance_is_seen(models, 7))
        await append(models.store, granted(7))
        await watching


async def test_lost_notifications_cost_time_only(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS], with_notifier=False) as models:
        watching = asyncio.create_task(balance_is_seen(models, 7))
        position = await append(models.store, granted(7))
        assert await models.feed.wait("credits", position, timeout_seconds=PATIENCE_SECONDS) == position
        await watching


async def test_a_lost_connection_is_made_again(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        for number in range(1, 4):

            async def killed() -> bool:
                return bool(
                    await models.fetch(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND application_name = 'triptych change feed'"
                    )
                )

            await eventually(killed, "the change feed has a session")
            watching = asyncio.create_task(balance_is_seen(models, number))
            position = await append(models.store, granted(1, grant_id=f"grant-{number}"))
            assert await models.feed.wait("credits", position, timeout_seconds=PATIENCE_SECONDS) >= position
            await watching


async def test_other_processes_hear_too(database: str) -> None:
    store = MemoryEventStore()
    async with (
        running_read_models(database, store, projections=[CREDITS]),
        running_read_models(database, store, projections=[CREDITS], with_host=False) as reader,
    ):
        watching = asyncio.create_task(balance_is_seen(reader, 5))
        position = await append(store, granted(5))
        assert await reader.feed.wait("credits", position, timeout_seconds=PATIENCE_SECONDS) == position
        await watching


async def test_messages_of_others_on_the_channel_are_passed_over(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        await models.fetch("SELECT pg_notify('triptych_read', 'not ours')")
        await models.fetch("""SELECT pg_notify('triptych_read', '{"projection": 1}')""")
        position = await append(models.store, granted(1))
        assert await models.feed.wait("credits", position, timeout_seconds=PATIENCE_SECONDS) == position


async def test_watchers_that_leave_are_forgotten(database: str) -> None:
    async with running_read_models(database, projections=[CREDITS]) as models:
        for user in (USER, OTHER_USER):
            watching = models.feed.watch("credits", user)
            await anext(watching)
            await watching.aclose()  # type: ignore[attr-defined]
        assert models.feed.watcher_count == 0
