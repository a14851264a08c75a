"""As ``test_crashes.py``, with the log in KurrentDB (here: a server of its protocol), which is killed as well."""

from __future__ import annotations

import pytest

from tests.soak.chaos import EVERYTHING, KURRENTDB, OWNER_OF_POSTGRES, POSTGRES, WORKER
from tests.soak.run import Plan, run

BLOWS = (KURRENTDB, WORKER, KURRENTDB, OWNER_OF_POSTGRES, POSTGRES, EVERYTHING)


@pytest.mark.timeout(400)  # For a hang; it takes about half a minute.
async def test_nothing_is_lost_and_nothing_charged_twice_with_the_log_in_kurrentdb() -> None:
    plan = Plan(
        seed=20261127,
        seconds=1,
        least_blows=len(BLOWS),
        most_blows=len(BLOWS),
        clients=4,
        most_requests=20,
        deadline_seconds=12,
        kurrentdb=True,
        blows=BLOWS,
    )
    summary = await run(plan)
    assert not summary.findings
    assert summary.blows.keys() == {each.name for each in BLOWS}
    assert "GenerationSucceeded" in summary.ends
    assert summary.credits_lost == 0
