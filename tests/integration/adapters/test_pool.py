"""Connection pools against a real server."""

from __future__ import annotations

import asyncio

from service.adapters.postgres.pool import Pool, make_pool

BOUND_SECONDS = 30.0
TURNS = 40
"""More turns of the event loop than it takes to hand a connection over."""


async def test_caller_that_waits_for_a_connection_can_be_cancelled_at_every_moment(database: str) -> None:
    async with make_pool(database, application_name="test cancellation", max_size=1) as pool:
        for turns in range(TURNS):
            await cancelled_after(pool, turns)


async def cancelled_after(pool: Pool, turns: int) -> None:
    """Cancels a waiting caller so many turns of the loop after its connection has become free."""
    held = await pool.getconn()
    caller = asyncio.create_task(hold_for_ever(pool))
    await asyncio.sleep(0)
    await pool.putconn(held)
    for _ in range(turns):
        await asyncio.sleep(0)
    caller.cancel()
    _, still_there = await asyncio.wait([caller], timeout=BOUND_SECONDS)
    assert not still_there, f"a cancellation was lost {turns} turns after the connection was free"
    assert caller.cancelled()


async def hold_for_ever(pool: Pool) -> None:
    async with pool.connection():
        await asyncio.Event().wait()
