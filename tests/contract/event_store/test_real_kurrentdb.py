"""Skipped, it tells that this run's suite had no KurrentDB but the protocol server of tests/support."""

from __future__ import annotations

from service.adapters.eventstore.kurrentdb_connection import connected, read_features


async def test_the_suite_runs_on_a_real_kurrentdb_too(real_kurrentdb: str) -> None:
    async with connected(real_kurrentdb) as client:
        features = await read_features(client)
    assert features.version.split(".")[0].isdecimal()
