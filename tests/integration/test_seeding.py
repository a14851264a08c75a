"""How a log takes in a whole history, and the program that makes one up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.eventstore.postgres_import import PostgresHistoryImport
from service.application.audit import Audit
from service.application.seeding import seeded_history
from service.ports.history_import import DatedEvent, HistoryRefused
from tests.support.api import BOUND_SECONDS, settings_for
from tests.support.log import favorited, read_all, write
from tests.support.samples import CATALOG

END = datetime(2026, 11, 25, tzinfo=UTC)


def story(events: int = 2000, seed: int = 1) -> Iterator[DatedEvent]:
    for batch in seeded_history(CATALOG, seed=seed, events=events, end=END):
        yield from batch


async def take_in(conninfo: str, history: Sequence[DatedEvent] | Iterator[DatedEvent]) -> int:
    async with PostgresHistoryImport.open(conninfo) as importing:
        await importing.write(history)
    return importing.position


async def test_log_takes_in_a_history_as_it_is(database: str) -> None:
    history = list(story())
    assert await take_in(database, history) == len(history)
    async with PostgresEventStore.open(database) as store:
        found = await read_all(store)
        assert [(each.position, each.stream, each.version) for each in found] == [
            (position, each.stream, each.version) for position, each in enumerate(history, 1)
        ]
        assert [(each.event_id, each.event, each.recorded_at) for each in found] == [
            (each.new.event_id, each.new.event, each.recorded_at) for each in history
        ]
        assert all(earlier.recorded_at <= later.recorded_at for earlier, later in pairwise(found))
        position = await store.append([write("later-1", 0)])
        assert position == len(history) + 1


async def test_history_goes_on_where_the_log_ends(database: str) -> None:
    async with PostgresEventStore.open(database) as store:
        await store.append([write("a-1", 0, favorited(), favorited())])
        time = datetime.now(UTC) + timedelta(hours=1)
        more = [DatedEvent("a-1", 3, favorited(), time), DatedEvent("b-1", 1, favorited(), time)]
        assert await take_in(database, more) == 4
        assert [(each.stream, each.version) for each in await read_all(store)][2:] == [("a-1", 3), ("b-1", 1)]


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ([("a-1", 3, 0), ("a-1", 4, -1)], "a-1, version 4: recorded at"),
        ([("b-1", 2, 0)], "b-1: its versions have gaps"),
        ([("b-1", 1, 0), ("b-1", 3, 0)], "b-1: its versions have gaps"),
        ([("a-1", 4, 0)], "a-1: its versions have gaps"),
        ([("b-1", 1, 0), ("a-1", 2, 0)], "holds a part of this history already"),
    ],
)
async def test_history_that_does_not_fit_is_refused_whole(
    database: str, history: list[tuple[str, int, int]], why: str
) -> None:
    async with PostgresEventStore.open(database) as store:
        await store.append([write("a-1", 0, favorited(), favorited())])
        time = datetime.now(UTC) + timedelta(hours=1)
        dated = [
            DatedEvent(stream, version, favorited(), time + timedelta(seconds=by)) for stream, version, by in history
        ]
        with pytest.raises(HistoryRefused, match=why):
            await take_in(database, dated)
        assert await store.head() == 2
        assert await store.append([write("a-1", 2)]) == 3


async def test_import_that_breaks_off_leaves_nothing(database: str) -> None:
    def broken_off() -> Iterator[DatedEvent]:
        yield from story(events=200)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await take_in(database, broken_off())
    async with PostgresEventStore.open(database) as store:
        assert await store.head() == 0


async def test_program_seeds_an_empty_log_only(database: str, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path)
    environment = {**os.environ, "TRIPTYCH_EVENT_STORE": settings.event_store, "TRIPTYCH_DATA_DIR": str(tmp_path)}

    async def run(*arguments: str) -> tuple[int | None, str]:
        program = (sys.executable, "-m", "service", "seed", "--events", "500", *arguments)
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
        process = await asyncio.create_subprocess_exec(*program, env=environment, **pipes)  # type: ignore[arg-type]
        async with asyncio.timeout(BOUND_SECONDS):
            output, _ = await process.communicate()
        return process.returncode, output.decode()

    code, output = await run("--until", "2026-01-01", "--json")
    assert code == 0, output
    written = json.loads(output.splitlines()[-1])
    code, output = await run()
    assert (code, "add to it with --force" in output) == (1, True)
    code, output = await run("--until", "2026-01-01", "--force", "--seed", "2")
    assert code == 0, output

    audit = Audit()
    async with PostgresEventStore.open(database) as store:
        events = await read_all(store)
    for each in events:
        audit.see(each)
    assert audit.finish(now=datetime.now(UTC)) == []
    assert len(events) > written["events"] == written["position"]
    assert all(earlier.recorded_at <= later.recorded_at for earlier, later in pairwise(events))
