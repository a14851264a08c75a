"""Two APIs, two projectors and three workers on one store; the active ones are killed in turn, under load.

Nothing is lost and nothing happens twice, as in ``test_crashes.py``; and whoever watched has seen all of it.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.soak.chaos import API, PROJECTOR, WORKER
from tests.soak.run import Plan, run

BLOWS = (API, API, PROJECTOR, PROJECTOR, WORKER)
"""So that each API and each projector is hit once."""


@pytest.mark.timeout(400)  # For a hang; it takes about half a minute.
@pytest.mark.parametrize("kurrentdb", [False, True], ids=["postgres", "kurrentdb"])
async def test_each_role_in_several_processes_of_which_the_active_ones_are_killed_in_turn(kurrentdb: bool) -> None:
    plan = Plan(
        seed=20261126,
        seconds=1,
        least_blows=len(BLOWS),
        most_blows=len(BLOWS),
        clients=3,
        most_pause_seconds=2.5,
        deadline_seconds=12,
        apis=2,
        projectors=2,
        workers=3,
        kurrentdb=kurrentdb,
        blows=BLOWS,
        watched=True,
    )
    summary = await run(plan)
    assert not summary.findings
    assert summary.blows == Counter(each.name for each in BLOWS)
    assert summary.ends["GenerationSucceeded"] > 0
    assert summary.credits_lost == 0
