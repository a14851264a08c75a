"""Copying a history from log to log."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application import copying
from service.application.copying import Copied, LogsDiffer, compare, copy
from service.ports.event_store import Metadata, NewEvent, StreamWrite
from service.ports.history_import import DatedEvent, HistoryImport
from tests.support.log import favorited, granted, read_all, write

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> datetime:
        return self.now


class MemoryImport:
    """Writes what it is given as appends at the times that it brings. Breaks off after so many events."""

    def __init__(self, store: MemoryEventStore, clock: Clock, chunks: list[int], breaks_after: int) -> None:
        self._store = store
        self._clock = clock
        self._chunks = chunks
        self._breaks_after = breaks_after
        self.position = 0

    async def write(self, events: Iterable[DatedEvent]) -> None:
        count = 0
        for count, each in enumerate(events, 1):
            if sum(self._chunks) + count > self._breaks_after:
                raise ConnectionError("broken off")
            self._clock.now = each.recorded_at
            self.position = await self._store.append([StreamWrite(each.stream, each.version - 1, (each.new,))])
        self._chunks.append(count)


class Target:
    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryEventStore(now=self.clock)
        self.chunks: list[int] = []

    async def copy_from(self, source: MemoryEventStore, *, breaks_after: int = 10**9) -> Copied:
        @asynccontextmanager
        async def opened() -> AsyncIterator[HistoryImport]:
            yield MemoryImport(self.store, self.clock, self.chunks, breaks_after)

        return await copy(source, self.store, opened, progress=no_progress)


def no_progress(_stage: str) -> Callable[[int], None]:
    return lambda _position: None


async def history(appends: int = 5) -> MemoryEventStore:
    """Each append has two streams and three events, a minute after the one before it."""
    clock = Clock()
    store = MemoryEventStore(now=clock)
    for number in range(appends):
        clock.now += timedelta(minutes=1)
        metadata = Metadata(correlation_id=f"c{number}", actor="somebody")
        events = [NewEvent(uuid.uuid4(), each.event, metadata) for each in (granted(), favorited(), favorited())]
        await store.append(
            [StreamWrite("shared", number, (events[0],)), StreamWrite(f"own-{number}", 0, tuple(events[1:]))]
        )
    return store


async def test_everything_arrives_as_it_was() -> None:
    source, target = await history(), Target()
    done = await target.copy_from(source)
    assert await read_all(target.store) == await read_all(source)
    assert (done.events, done.copied) == (15, 15)


async def test_an_interrupted_copy_goes_on_where_it_stopped() -> None:
    source, target = await history(), Target()
    with pytest.raises(ConnectionError):
        await target.copy_from(source, breaks_after=7)
    done = await target.copy_from(source)
    assert (done.events, done.copied) == (15, 8)
    assert await read_all(target.store) == await read_all(source)


async def test_again_copies_only_what_came_since() -> None:
    source, target = await history(), Target()
    first = await target.copy_from(source)
    again = await target.copy_from(source)
    assert (again.copied, again.digest) == (0, first.digest)
    await source.append([write("late-1", 0)])
    more = await target.copy_from(source)
    assert more.copied == 1
    assert more.digest != first.digest


async def test_chunks_are_cut_between_appends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK_EVENTS", 4)
    target = Target()
    await target.copy_from(await history())
    assert target.chunks == [6, 6, 3]


async def test_a_target_with_a_life_of_its_own_is_left_alone() -> None:
    source, target = await history(), Target()
    await target.store.append([write("a-1", 0)])
    with pytest.raises(LogsDiffer, match=r"at event 1: the source has CreditsGranted .*, the target ItemFavorited"):
        await target.copy_from(source)
    assert await target.store.head() == 1


async def test_a_target_that_goes_on_after_the_source_is_left_alone() -> None:
    source, target = await history(), Target()
    await target.copy_from(source)
    await target.store.append([write("a-1", 0)])
    with pytest.raises(LogsDiffer, match="at event 16: the target goes on with ItemFavorited"):
        await target.copy_from(source)


async def test_other_times_and_other_contents_are_seen() -> None:
    new = granted("a")
    logs = {}
    for name, event, hour in (
        ("source", new, 1),
        ("later", new, 2),
        ("other", NewEvent(new.event_id, granted("b").event), 1),
    ):
        time = BEGINNING + timedelta(hours=hour)
        logs[name] = MemoryEventStore(now=lambda time=time: time)  # type: ignore[misc]
        await logs[name].append([write("a-1", 0, event)])
    for name, says in (("later", "was recorded at"), ("other", "has other content")):
        with pytest.raises(LogsDiffer, match=says):
            await compare(logs["source"], logs[name], until=1, progress=lambda _position: None)


async def test_an_empty_log_is_copied_too() -> None:
    done = await Target().copy_from(MemoryEventStore())
    assert (done.events, done.copied) == (0, 0)
