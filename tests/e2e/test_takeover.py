"""Processes that are told to stop, killed or frozen, and others that take over; callers only wait a little."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg
import pytest

from clients.sdk import AsyncTriptych, Event, GenerationState
from tests.support.fleet import Fleet, running_fleet
from tests.support.system import new_user

BOUND_SECONDS = 90.0

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """Leases that run out only long after everything has timed out: they have to be given back."""
    async with running_fleet(
        workers=1, apis=2, projectors=2, deadline_seconds=120, settings={"TRIPTYCH_LEASE_SECONDS": "3600"}
    ) as fleet:
        yield fleet


@pytest.fixture
async def triptych(fleet: Fleet) -> AsyncIterator[AsyncTriptych]:
    """Through the relay of the first API, which leads to the second while the first is away."""
    async with AsyncTriptych(fleet.api.address, timeout_seconds=BOUND_SECONDS) as client:
        yield client


async def granted_and_seen(triptych: AsyncTriptych) -> None:
    """A grant, and a read model that has it: somebody projects."""
    user_id = new_user()
    await triptych.grant_credits(user_id, 7, grant_id="welcome")
    assert (await triptych.get_account(user_id)).balance == 7


@pytest.mark.parametrize("name", ["projector-1", "projector-2"])
async def test_the_other_projector_takes_over_from_one_that_is_killed(
    fleet: Fleet, triptych: AsyncTriptych, name: str
) -> None:
    await granted_and_seen(triptych)
    await fleet.kill(name)
    await granted_and_seen(triptych)
    await fleet.start(name)


async def test_the_other_projector_takes_over_from_one_that_is_told_to_stop(
    fleet: Fleet, triptych: AsyncTriptych
) -> None:
    assert await fleet.stop("projector-1") == 0
    await granted_and_seen(triptych)
    await fleet.start("projector-1")


async def test_the_other_projector_takes_over_from_one_that_is_frozen(fleet: Fleet, triptych: AsyncTriptych) -> None:
    """Its connections stay open; only the server's limit on silent sessions takes its locks away."""
    # After this all projections are the first one's.
    assert await fleet.stop("projector-2") == 0
    await granted_and_seen(triptych)
    await fleet.start("projector-2")
    with fleet.frozen("projector-1"):
        await granted_and_seen(triptych)
    await granted_and_seen(triptych)
    assert fleet.ended_by_themselves() == {}


async def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_in_hand(
    fleet: Fleet, triptych: AsyncTriptych
) -> None:
    user_id = new_user()
    await triptych.grant_credits(user_id, 500)
    prompts = [f"a boat, no. {number} [sandbox:moderation-slow]" for number in range(3)]
    asked = [
        (await triptych.request_generation(user_id, "imagen4", prompt)).generation.generation_id for prompt in prompts
    ]
    await until_leased(fleet)
    assert await fleet.stop("worker-1") == 0
    assert await leases(fleet) == 0
    await fleet.start("worker-1")
    async with asyncio.timeout(BOUND_SECONDS):
        ended = [await triptych.wait_for_generation(generation_id) for generation_id in asked]
    assert {each.state for each in ended} == {GenerationState.SUCCEEDED}


async def leases(fleet: Fleet) -> int:
    async with await psycopg.AsyncConnection.connect(fleet.conninfo(), autocommit=True) as connection:
        cursor = await connection.execute("SELECT count(*) FROM read.work_list WHERE lease_owner <> ''")
        row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def until_leased(fleet: Fleet) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while await leases(fleet) == 0:  # noqa: ASYNC110 - the database has no event to wait for
            await asyncio.sleep(0.02)


async def bounded(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(BOUND_SECONDS):
        return await anext(events)


async def test_who_watches_an_api_that_is_told_to_stop_goes_on_at_another(
    fleet: Fleet, triptych: AsyncTriptych
) -> None:
    user_id = new_user()
    async with aclosing(triptych.replay_events(follow=True, user_id=user_id)) as events:
        await triptych.grant_credits(user_id, 1, grant_id="first")
        assert (await bounded(events)).payload["grant_id"] == "first"
        assert await fleet.stop("api-1") == 0
        await triptych.grant_credits(user_id, 2, grant_id="second")
        assert (await bounded(events)).payload["grant_id"] == "second"
        await fleet.start("api-1")
