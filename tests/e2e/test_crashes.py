"""Workers, API and PostgreSQL are killed under load, alone and together, and nothing is lost or charged twice.

The short form of ``make soak``; what is killed, asked for and checked stands in ``tests/soak``.
"""

from __future__ import annotations

import pytest

from tests.soak.chaos import EVERYTHING, OWNER_OF_POSTGRES, POSTGRES, WORKER, WORKERS
from tests.soak.run import Plan, run


@pytest.mark.timeout(400)  # For a hang; it takes about a minute.
async def test_nothing_is_lost_and_nothing_charged_twice() -> None:
    blows = (WORKER, WORKERS, OWNER_OF_POSTGRES, POSTGRES, EVERYTHING)
    plan = Plan(
        seed=20261125, seconds=20, least_blows=5, most_blows=8, most_requests=40, deadline_seconds=15, blows=blows
    )
    summary = await run(plan)
    assert not summary.findings
    assert summary.blows.keys() >= {each.name for each in blows}
    assert summary.ends.keys() >= {"GenerationSucceeded", "GenerationFailed"}
    assert summary.credits_lost == 0
