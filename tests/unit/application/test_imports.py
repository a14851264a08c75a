"""An import records each row once, tells of each that it does not, and goes on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.audit import audit
from service.application.execute import Executor
from service.application.imports import ROWS_AT_ONCE, Importer, Told, Totals
from service.application.imports_rows import RawRow, Reading, SourceBroken, map_columns
from service.domain.generation.events import ItemImported
from service.domain.ids import generation_id_for
from service.ports.event_store import RecordedEvent
from service.ports.media_store import CollectedOutput, MediaRejected, MediaUnavailable
from tests.support.appending import append
from tests.support.log import read_all
from tests.support.samples import CATALOG, NOW, media, requested
from tests.support.webhooks import SetClock

COLUMNS = ["id", "user_id", "created_at", "path", "prompt", "type", "model"]
READING = Reading(columns=map_columns(COLUMNS, {}), default_type="avatar")


class Gallery:
    """An import into a store in memory, and what it told. Files are what their names say."""

    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self.told: list[Told] = []
        self.collected: list[str] = []
        self.at_once = self.most_at_once = 0

    async def collect(self, name: str, generation_id: str) -> CollectedOutput:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if name.startswith("bad"):
            raise MediaRejected(f"{name}: it is not a picture")
        if name.startswith("away"):
            raise MediaUnavailable(f"{name}: it is not there")
        self.collected.append(name)
        kind = "video" if name.endswith("mp4") else "image"
        return CollectedOutput(kind=kind, media=media(name), thumbnail=media(name + ".webp"))

    async def run(self, rows: AsyncIterator[RawRow], *, dry_run: bool = False) -> Totals:
        executor = None if dry_run else Executor(self.store)
        importer = Importer(self.store, executor, CATALOG, SetClock(NOW), self.collect)
        self.told.clear()
        self.collected.clear()
        try:
            async for _ in importer.run(rows, READING, self.told.append):
                pass
        finally:
            self.totals = importer.totals
        return importer.totals

    async def log(self) -> list[RecordedEvent]:
        log = await read_all(self.store)
        assert audit(log) == []
        return log

    async def imported(self) -> list[ItemImported]:
        return [each.event for each in await self.log() if isinstance(each.event, ItemImported)]


@pytest.fixture
def gallery() -> Gallery:
    return Gallery()


def raw(number: int, **changes: str | None) -> RawRow:
    values: dict[str, str | None] = {
        "id": str(number),
        "user_id": "ann",
        "created_at": f"2024-01-{1 + number % 28:02}",
        "path": f"{number}.png",
        "prompt": "a red fox",
    }
    return RawRow(number, values | changes)


async def rows(of: Sequence[RawRow], then: Exception | None = None) -> AsyncIterator[RawRow]:
    for each in of:
        yield each
    if then is not None:
        raise then


async def test_rows_come_in_once_and_in_their_order(gallery: Gallery) -> None:
    given = [raw(number) for number in range(3 * ROWS_AT_ONCE + 5)]
    assert await gallery.run(rows(given)) == Totals(rows=len(given), imported=len(given))
    assert [each.import_id for each in await gallery.imported()] == [each.values["id"] for each in given]
    assert 1 < gallery.most_at_once <= ROWS_AT_ONCE
    head = await gallery.store.head()
    assert await gallery.run(rows(given)) == Totals(rows=len(given), present=len(given))
    assert gallery.collected == [], "what is there is not fetched again"
    assert await gallery.store.head() == head


async def test_rows_that_do_not_come_in_are_told_and_come_in_later(gallery: Gallery) -> None:
    given = [
        raw(1),
        raw(2, path="bad.png"),
        raw(3, path="away.png"),
        raw(4, user_id="a user"),
        raw(5, created_at="2030-01-01"),
        raw(6, type="poem"),
        RawRow(7, {"id": "7"}, "has 2 columns, and the first line names 7"),
    ]
    assert await gallery.run(rows(given)) == Totals(rows=7, imported=1, unread=6)
    assert [(each.number, each.import_id, each.again) for each in gallery.told] == [
        (number, str(number), number == 3) for number in range(2, 8)
    ]
    reasons = [each.why.split(":")[0] for each in gallery.told]
    assert reasons[:-1] == ["bad.png", "away.png", "user_id", "created_at", "type"]
    given[2] = raw(3)
    assert await gallery.run(rows(given)) == Totals(rows=7, imported=1, present=1, unread=5)
    assert [each.import_id for each in await gallery.imported()] == ["1", "3"]


async def test_ids_that_stand_twice_are_one_item_or_told(gallery: Gallery) -> None:
    given = [raw(1), raw(1), raw(1, path="other.png"), raw(2)]
    assert await gallery.run(rows(given)) == Totals(rows=4, imported=2, present=1, unread=1)
    assert gallery.told == [Told(1, "1", "has the id of row 1 and is not the same")]
    assert await gallery.run(rows([raw(1, prompt="a cat", created_at="2024-03-03")])) == Totals(rows=1, unread=1)
    assert gallery.told[0].why.endswith("came in before; what differs: created_at, prompt")
    assert [each.prompt for each in await gallery.imported()] == ["a red fox"] * 2


async def test_the_same_id_of_another_user_is_another_item(gallery: Gallery) -> None:
    assert (await gallery.run(rows([raw(1), raw(1, user_id="bob")]))).imported == 2


async def test_a_video_among_pictures_is_a_video_unless_the_row_says_otherwise(gallery: Gallery) -> None:
    given = [raw(1, path="1.mp4"), raw(2, path="2.mp4", type="video"), raw(3, path="3.mp4", type="avatar")]
    assert await gallery.run(rows(given)) == Totals(rows=3, imported=2, unread=1)
    assert [each.generation_type for each in await gallery.imported()] == ["video", "video"]
    assert gallery.told[0].why == "type: avatar is not for a file that is a video"
    assert (await gallery.run(rows(given))).present == 2


async def test_a_prompt_that_is_cut_is_told_and_comes_in(gallery: Gallery) -> None:
    given = [raw(1, prompt="x" * 10_001)]
    assert await gallery.run(rows(given)) == Totals(rows=1, imported=1, shortened=1)
    assert [(each.imported, each.why) for each in gallery.told] == [
        (True, "its prompt has 1 characters too many, which were cut off")
    ]
    assert await gallery.run(rows(given)) == Totals(rows=1, present=1)


async def test_what_was_read_before_the_source_broke_is_in(gallery: Gallery) -> None:
    given = [raw(number) for number in range(ROWS_AT_ONCE + 3)]
    with pytest.raises(SourceBroken, match="gone"):
        await gallery.run(rows(given, SourceBroken("the server is gone")))
    assert gallery.totals == Totals(rows=len(given), imported=len(given))
    assert len(await gallery.imported()) == len(given)


async def test_a_dry_run_looks_at_everything_and_records_nothing(gallery: Gallery) -> None:
    await gallery.run(rows([raw(1)]))
    head = await gallery.store.head()
    given = [raw(1), raw(2), raw(3, path="bad.png"), raw(4, path="4.mp4", type="avatar")]
    assert await gallery.run(rows(given), dry_run=True) == Totals(rows=4, imported=1, present=1, unread=2)
    assert gallery.collected == ["2.png", "4.mp4"]
    assert await gallery.store.head() == head


async def test_two_imports_at_once_bring_each_row_in_once(gallery: Gallery) -> None:
    given = [raw(number) for number in range(40)]
    other = Gallery()
    other.store = gallery.store
    first, second = await asyncio.gather(gallery.run(rows(given)), other.run(rows(given)))
    assert first.imported + second.imported == 40
    assert first.present + second.present == 40
    assert len(await gallery.imported()) == 40


async def test_a_request_of_that_name_is_left_alone(gallery: Gallery) -> None:
    generation_id = generation_id_for("ann", "import:1")
    await append(gallery.store, msgspec.structs.replace(requested(), generation_id=generation_id))
    assert await gallery.run(rows([raw(1)])) == Totals(rows=1, unread=1)
    assert "a request was made here" in gallery.told[0].why
