"""An older gallery comes in, from a table and from a file, with real pictures and video; and then it is a gallery."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import http.server
import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.adapters.clock import SystemClock
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.media import ObjectMediaStore
from service.application.audit import audit
from service.application.credits import Credits
from service.application.curation import Curation
from service.application.execute import Context, Executor
from service.application.imports import Totals
from service.bootstrap.media import open_media
from service.cli.import_gallery_run import Done, Wanted, bring_in
from service.config import Settings
from service.domain.errors import InvalidField, NothingToRefund
from service.domain.generation.curation import favorite, restore, trash
from service.domain.generation.events import ItemImported
from service.domain.generation.state import Phase
from service.ports.read_models import ItemFilter
from tests.support.api import BOUND_SECONDS, picture, settings_for
from tests.support.bot_api import clip
from tests.support.log import read_all
from tests.support.read_models import running_read_models

HEADER = "id,user_id,created_at,image_path,prompt,model"


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return settings_for(database, tmp_path / "data", allow_private_media_urls=True)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture("red"))
    (folder / "b.jpg").write_bytes(picture("blue", kind="JPEG"))
    (folder / "notes.txt").write_bytes(b"not a picture, although somebody says so")
    (folder / "empty.png").write_bytes(b"")
    (folder / "torn.png").write_bytes(picture("green", size=(640, 480))[:-200])
    (tmp_path / "secret.png").write_bytes(picture("black"))
    return folder


def csv_of(folder: Path, *rows: str, header: str = HEADER) -> str:
    file = folder / "old.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return str(file)


def wanted(source: str, **changes: Any) -> Wanted:
    given: dict[str, Any] = {
        "source": source,
        "table": "image_generation",
        "chosen_columns": {},
        "media_root": None,
        "default_type": "avatar",
        "user_template": "{id}",
        "zone": UTC,
        "encoding": "",
        "dry_run": False,
        "report": None,
        "quiet": True,
    }
    return Wanted(**(given | changes))


async def run(settings: Settings, source: str, **changes: Any) -> Done:
    async with asyncio.timeout(BOUND_SECONDS):
        return await bring_in(settings, wanted(source, **changes))


async def imported(database: str) -> list[ItemImported]:
    """What is in the log, which passes the audit."""
    async with PostgresEventStore.open(database) as store:
        log = await read_all(store)
    assert audit(log, now=datetime.now(UTC)) == []
    return [each.event for each in log if isinstance(each.event, ItemImported)]


async def kept(media: ObjectMediaStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in media.read(key)])


async def test_files_come_in_whole_and_what_does_not_is_told(
    database: str, tmp_path: Path, images: Path, settings: Settings
) -> None:
    source = csv_of(
        tmp_path,
        "1,ann,2023-05-01T12:00:00+03:00,a.png,a red fox,flux",
        f"2,ann,2023-05-02,{images / 'b.jpg'},,",
        "3,ann,2023-05-01,missing.png,,",
        "4,ann,2023-05-01,notes.txt,,",
        "5,ann,2023-05-01,../secret.png,,",
        "6,ann,2023-05-01,empty.png,,",
        "7,ann,2023-05-01,torn.png,,",
        "8,ann,2023-05-01,.,,",
    )
    dry = await run(settings, source, media_root=images, dry_run=True)
    assert dry.totals == Totals(rows=8, imported=2, unread=6)
    assert await imported(database) == []
    assert not settings.data_dir.exists(), "a dry run makes no media store"

    report = tmp_path / "report"
    done = await run(settings, source, media_root=images, report=report)
    assert (done.totals, done.told, done.complete) == (dry.totals, dry.told, False)
    assert [(each.import_id, each.again) for each in done.told] == [
        ("3", True),
        ("4", False),
        ("5", False),
        ("6", False),
        ("7", False),
        ("8", False),
    ]
    assert [json.loads(line)["number"] for line in report.read_text().splitlines()] == [3, 4, 5, 6, 7, 8]
    first, second = await imported(database)
    assert (first.generation_type, first.source_model, first.prompt) == ("avatar", "flux", "a red fox")
    assert first.created_at == datetime(2023, 5, 1, 9, tzinfo=UTC)
    assert (first.media.width, first.thumbnail.content_type) == (64, "image/webp")
    async with open_media(settings) as (media, _):
        content = await kept(media, second.media.key)
        assert content == (images / "b.jpg").read_bytes()
        assert (second.media.sha256, second.media.content_type) == (hashlib.sha256(content).hexdigest(), "image/jpeg")
        assert await kept(media, first.thumbnail.key)

    (images / "missing.png").write_bytes(picture("green"))
    again = await run(settings, source, media_root=images)
    assert again.totals == Totals(rows=8, imported=1, present=2, unread=5)
    assert [each.import_id for each in await imported(database)] == ["1", "2", "3"]


@pytest.fixture
def web(images: Path) -> Iterator[str]:
    """The folder of images, served over http."""
    handler = functools.partial(QuietHandler, directory=str(images))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tests say what they have to say."""


async def test_a_table_comes_in_through_urls_and_paths_with_video(
    database: str, images: Path, web: str, settings: Settings
) -> None:
    (images / "clip.mp4").write_bytes(clip())
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA shop")
        await connection.execute(
            "CREATE TABLE shop.image_generation (id uuid, tg_user_id bigint, created_at timestamp, image_url text,"
            " image_path text, prompt text)"
        )
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO shop.image_generation VALUES (gen_random_uuid(), %s, %s, %s, %s, %s)",
                [
                    (7, "2024-03-01", f"{web}/b.jpg?key=secret", None, "second"),
                    (7, "2024-02-01", None, "a.png", "first"),
                    (7, "2024-04-01", None, "clip.mp4", None),
                    (8, "infinity", None, "a.png", "when?"),
                    (8, "2024-05-01", f"{web}/gone.png?key=secret", None, ""),
                ],
            )
    source = str(settings.event_store)
    given: dict[str, Any] = {
        "table": "shop.image_generation",
        "media_root": images,
        "user_template": "telegram-{id}",
    }
    done = await run(settings, source, **given)
    assert done.totals == Totals(rows=5, imported=3, unread=2)
    assert done.told[0].why == f"{web.replace(':' + web.rpartition(':')[2], '')}/gone.png: the server answered 404"
    assert "infinity" in done.told[1].why
    events = await imported(database)
    assert [(each.prompt, each.generation_type) for each in events] == [
        ("first", "avatar"),
        ("second", "avatar"),
        ("", "video"),
    ]
    assert events[2].media.duration_seconds > 0
    assert {each.user_id for each in events} == {"telegram-7"}
    assert (await run(settings, source, **given)).totals == Totals(rows=5, present=3, unread=2)


async def test_what_was_interrupted_says_so_and_goes_on_where_it_stopped(
    database: str, tmp_path: Path, images: Path, settings: Settings
) -> None:
    given = csv_of(tmp_path, *(f"{number},ann,2023-05-01,a.png,," for number in range(60)))
    running = asyncio.create_task(run(settings, given, media_root=images))
    async with PostgresEventStore.open(database) as store, asyncio.timeout(BOUND_SECONDS):
        await anext(store.subscribe())
    running.cancel()
    done = await running
    assert (done.stopped, done.complete) == ("it was interrupted", False)
    before = len(await imported(database))
    assert 0 < before < 60
    assert done.totals.imported <= before
    done = await run(settings, given, media_root=images)
    assert (done.totals, done.complete) == (Totals(rows=60, imported=60 - before, present=before), True)
    assert [each.import_id for each in await imported(database)] == [str(number) for number in range(60)]


@pytest.mark.parametrize(
    ("source", "changes", "field", "why"),
    [
        ("mysql://old/shop", {}, "from", "must be postgresql://... or the path of a CSV file"),
        ("{database}", {"table": "nothing"}, "table", "does not exist"),
        ("{database}", {"table": "triptych.events"}, "map", "no column for id"),
        ("{file}", {"default_type": "poem"}, "type", "'poem' is not one of"),
        ("{file}", {"chosen_columns": {"created_at": "nope"}}, "map", "'nope' is not a column"),
    ],
)
async def test_what_cannot_be_right_is_refused_before_anything_is_done(
    tmp_path: Path, settings: Settings, source: str, changes: dict[str, Any], field: str, why: str
) -> None:
    where = source.format(database=settings.event_store, file=csv_of(tmp_path))
    with pytest.raises(InvalidField, match=why) as refused:
        await run(settings, where, **changes)
    assert refused.value.field == field


async def test_what_came_in_is_marked_and_restored_like_any_other_and_cannot_be_refunded(
    database: str, tmp_path: Path, images: Path, settings: Settings
) -> None:
    await run(settings, csv_of(tmp_path, "1,ann,2023-05-01,a.png,a red fox,"), media_root=images)
    [event] = await imported(database)
    async with PostgresEventStore.open(database) as store:
        executor = Executor(store)
        for decision in (favorite, trash, restore):
            outcome = await Curation(executor).apply(
                decision, user_id="ann", item_id=event.item_id, context=Context()
            )
            assert outcome.changed
        assert outcome.state.phase is Phase.SUCCEEDED
        with pytest.raises(NothingToRefund, match="No credits were taken for this generation"):
            await Credits(executor, SystemClock()).refund_generation(
                generation_id=event.generation_id, reason="please", actor="support", context=Context()
            )
        async with running_read_models(database, store) as models:
            await models.caught_up()
            [item] = (await models.gallery.list_items(ItemFilter(user_id="ann"), cursor=None, limit=9)).items
            assert (item.favorite, item.credits, item.create_time) == (True, 0, event.created_at)


async def test_the_command_tells_and_doctor_is_content(tmp_path: Path, images: Path, settings: Settings) -> None:
    """As people run it, on a service's database that is running besides."""
    source = csv_of(tmp_path, "1,ann,2023-05-01,a.png,,", "2,ann,2023-05-01,notes.txt,,")
    environment = {
        **os.environ,
        "TRIPTYCH_EVENT_STORE": str(settings.event_store),
        "TRIPTYCH_DATA_DIR": str(settings.data_dir),
    }

    async def command(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", *arguments),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(BOUND_SECONDS):
            output, _ = await process.communicate()
        return process.returncode, " ".join(output.decode().split())

    code, output = await command("import", "--from", source, "--media-root", str(images))
    assert code == 1, output
    assert "row 2 (id 2): notes.txt: it is neither a picture nor a video" in output
    assert "2 rows: 1 came in, 0 were here already, 1 could not be brought in." in output
    async with (
        PostgresEventStore.open(str(settings.event_store)) as store,
        running_read_models(str(settings.event_store), store) as models,
    ):
        await models.caught_up()
        code, output = await command("doctor")
        assert (code, "All is well" in output) == (0, True), output
