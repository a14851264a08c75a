"""The work list while its database is away."""

from __future__ import annotations

import pytest

from service.adapters.postgres.change_feed import PostgresChangeFeed
from service.adapters.postgres.pool import make_pool
from service.adapters.postgres.read_notifier import ReadNotifier
from service.adapters.postgres.work_list import PostgresWorkList
from service.ports.projections import ReadModelsUnavailable
from tests.support.samples import GENERATION_ID, NOW

NOWHERE = "host=127.0.0.1 port=1 dbname=nowhere"


async def test_a_wake_up_that_cannot_be_kept_is_told_so_that_the_vendor_delivers_again() -> None:
    """The webhook endpoint answers it with 503."""
    pool = make_pool(NOWHERE, application_name="test", wait_timeout_seconds=1)
    await pool.open(wait=False)
    try:
        work_list = PostgresWorkList(pool, PostgresChangeFeed(NOWHERE), ReadNotifier(NOWHERE))
        with pytest.raises(ReadModelsUnavailable, match="work list does not answer"):
            await work_list.wake(GENERATION_ID, NOW)
    finally:
        await pool.close()
