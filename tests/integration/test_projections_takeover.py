"""The lock of a projection's active runner: it lasts while the runner shows signs of life, and no longer.

That whole processes are killed and frozen is tested in ``tests/e2e/test_takeover.py``.
"""

from __future__ import annotations

from dataclasses import replace

from service.adapters.eventstore.memory import MemoryEventStore
from service.projections.registry import PROJECTIONS
from tests.support.history import History
from tests.support.read_models import QUICK, ReadModels, eventually, running_read_models

CREDITS = [each for each in PROJECTIONS if each.name == "credits"]


async def session(models: ReadModels) -> tuple[int, object] | None:
    """Of the active runner: its pid at the server, and when it last said something; None while there is none."""
    rows = await models.fetch(
        "SELECT pid, state_change FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
        " AND granted AND datname = current_database() AND application_name = 'triptych projection credits'"
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def test_a_runner_with_nothing_to_do_keeps_its_lock(database: str) -> None:
    options = replace(QUICK, heartbeat_seconds=0.1, lock_idle_seconds=60.0)
    async with running_read_models(database, MemoryEventStore(), projections=CREDITS, options=options) as models:
        seen: set[tuple[int, object]] = set()

        async def said_something_often() -> bool:
            if (found := await session(models)) is not None:
                seen.add(found)
            return len(seen) >= 5

        await eventually(said_something_often, "the idle runner has shown several signs of life")
    assert len({pid for pid, _ in seen}) == 1


async def test_a_session_without_signs_of_life_is_ended_and_the_runner_comes_back(database: str) -> None:
    """The server's side of a process that is frozen; the runner that was not frozen after all begins anew."""
    store = MemoryEventStore()
    history = History(seed=41)
    options = replace(QUICK, heartbeat_seconds=3.0, lock_idle_seconds=1.0)
    async with running_read_models(database, store, projections=CREDITS, options=options) as models:
        pids: set[int] = set()

        async def ended_twice() -> bool:
            if (found := await session(models)) is not None:
                pids.add(found[0])
            return len(pids) >= 3

        await history.append_to(store, appends=20)
        await eventually(ended_twice, "the server has ended two silent sessions")
        await history.append_to(store, appends=20)
        await models.caught_up(["credits"])
        balances = {user: (await models.credits.account(user))[0].balance for user in history.users}
    assert balances == {user: account.balance for user, account in history.accounts.items()}
