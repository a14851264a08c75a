"""Snapshot stores: what is kept, and what takes whose place."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from service.adapters.memory_snapshots import MemorySnapshots
from service.adapters.postgres.pool import make_pool
from service.adapters.postgres.snapshots import PostgresSnapshots
from service.ports.snapshots import Snapshot, SnapshotStore, SnapshotsUnavailable


@pytest.fixture(params=["memory", "postgres"])
async def snapshots(request: pytest.FixtureRequest) -> AsyncIterator[SnapshotStore]:
    if request.param == "memory":
        yield MemorySnapshots()
        return
    conninfo: Any = request.getfixturevalue("database")
    async with make_pool(conninfo, application_name="test snapshots") as pool:
        yield PostgresSnapshots(pool)


def snapshot(stream: str = "account-a", version: int = 200, code: str = "today") -> Snapshot:
    return Snapshot(
        stream=stream,
        version=version,
        position=1000 + version,
        event_id=uuid.UUID(int=version),
        state_version=code,
        state=b'{"user_id": "\xd1\x91", "balance": %d}' % version,
    )


async def test_what_was_saved_is_loaded(snapshots: SnapshotStore) -> None:
    assert await snapshots.load("account-a") is None
    await snapshots.save(snapshot())
    assert await snapshots.load("account-a") == snapshot()
    assert await snapshots.load("account-b") is None


async def test_newer_takes_the_place_of_older_and_not_the_other_way_round(snapshots: SnapshotStore) -> None:
    for version in (200, 400, 300):
        await snapshots.save(snapshot(version=version))
    assert await snapshots.load("account-a") == snapshot(version=400)


async def test_what_other_code_folded_gives_way(snapshots: SnapshotStore) -> None:
    await snapshots.save(snapshot(version=400, code="yesterday"))
    await snapshots.save(snapshot(version=300))
    assert await snapshots.load("account-a") == snapshot(version=300)


async def test_lost_database_is_told(database: str) -> None:
    async with make_pool(database, application_name="test snapshots") as pool:
        snapshots = PostgresSnapshots(pool)
    with pytest.raises(SnapshotsUnavailable):
        await snapshots.load("account-a")
    with pytest.raises(SnapshotsUnavailable):
        await snapshots.save(msgspec.structs.replace(snapshot(), version=201))
