"""A history moves from PostgreSQL to KurrentDB (here: a server of its protocol) and back."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.application.copying import copy
from service.application.seeding import seeded_history
from service.bootstrap.stores import open_event_store, open_history_import
from service.domain.catalog import parse_catalog
from service.ports.event_store import EventStore, RecordedEvent
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.log import PATIENCE_SECONDS, read_all, write
from tests.support.postgres import PostgresServer, short_folder

pytestmark = pytest.mark.timeout(300)

EVENTS = 2_000


@pytest.fixture(scope="module")
async def seeded(postgres_server: PostgresServer, postgres_template: str) -> AsyncIterator[str]:
    """A PostgreSQL log with a believable history; tests only read it."""
    name = postgres_server.create_database(template=postgres_template)
    conninfo = postgres_server.conninfo_for(name)
    catalog = parse_catalog(resources.files("service").joinpath("catalog.toml").read_text("utf-8"))
    async with open_history_import(conninfo) as importing:
        for batch in seeded_history(catalog, seed=3, events=EVENTS, end=datetime(2026, 11, 1, tzinfo=UTC)):
            await importing.write(batch)
    yield conninfo
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def kurrentdb() -> Iterator[KurrentDBProcess]:
    with short_folder() as folder, KurrentDBProcess(folder) as process:
        yield process


async def copied(source: str, target: str) -> dict[str, Any]:
    """By the command, as an operator runs it."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "service", "copy-events", "--from", source, "--to", target, "--json"],
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


async def log_of(conninfo: str) -> list[RecordedEvent]:
    """Every event but its position."""
    async with open_event_store(conninfo) as store:
        return [msgspec.structs.replace(each, position=0) for each in await read_all(store)]


async def test_there_and_back_again(seeded: str, kurrentdb: KurrentDBProcess, database: str) -> None:
    there = await copied(seeded, kurrentdb.connection_string)
    assert there["events"] == there["copied"] > EVENTS / 2
    assert await copied(seeded, kurrentdb.connection_string) == {**there, "copied": 0}
    back = await copied(kurrentdb.connection_string, database)
    assert back == there
    assert await log_of(database) == await log_of(kurrentdb.connection_string) == await log_of(seeded)


async def test_the_copy_goes_on_and_its_past_has_its_times(seeded: str, kurrentdb: KurrentDBProcess) -> None:
    async with open_event_store(seeded) as source, open_event_store(kurrentdb.connection_string) as target:
        await _copy(source, target, kurrentdb.connection_string)
        events = await read_all(target)
        middle = events[len(events) // 2]
        last_by_then = max(each.position for each in events if each.recorded_at <= middle.recorded_at)
        assert await target.position_at(middle.recorded_at) == last_by_then
        ours = {each.type: (each.count, each.first_at, each.last_at) for each in await source.count_by_type()}
        theirs = {each.type: (each.count, each.first_at, each.last_at) for each in await target.count_by_type()}
        assert theirs == ours


async def _copy(source: EventStore, target: EventStore, connection_string: str) -> None:
    await copy(source, target, lambda: open_history_import(connection_string), progress=lambda _: lambda _: None)


async def test_a_copy_into_kurrentdb_that_is_broken_off_goes_on(seeded: str) -> None:
    with short_folder() as folder, KurrentDBProcess(folder) as process:
        async with open_event_store(seeded) as source, open_event_store(process.connection_string) as target:
            copying = asyncio.create_task(_copy(source, target, process.connection_string))
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for batch in target.subscribe(batch_size=1):
                    if batch.events:
                        break
            copying.cancel()
            await asyncio.wait([copying])
            assert 0 < len(await read_all(target)) < EVENTS
            await _copy(source, target, process.connection_string)
            written = [each.event_id for each in await read_all(target)]
            assert written == [each.event_id for each in await read_all(source)]


async def test_times_that_go_back_are_copied_to_times_that_do_not(database: str) -> None:
    with short_folder() as folder, KurrentDBProcess(folder) as process:
        async with open_event_store(process.connection_string) as source, open_event_store(database) as target:
            await process.set_faults(clock_offset_seconds=3600)
            await source.append([write("a-1", 0)])
            await process.set_faults(clock_offset_seconds=0)
            await source.append([write("b-1", 0)])
            first, second = await read_all(source)
            assert second.recorded_at < first.recorded_at
            await _copy(source, target, database)
            assert [each.recorded_at for each in await read_all(target)] == [first.recorded_at, first.recorded_at]


async def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "service", "copy-events", "--from", str(tmp_path), "--to", str(tmp_path / "to")],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "is no data folder with an embedded PostgreSQL" in " ".join(done.stderr.split())
