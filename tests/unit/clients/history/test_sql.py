"""SQL over history: the views say what the events say, whatever they are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from clients.history.columns import NAMES
from clients.history.errors import LibraryMissing, QueryFailed
from clients.history.libraries import library
from clients.history.source import Selection
from clients.history.sql import over_replay
from clients.sdk import Event, Triptych
from tests.support.log_server import serving_log


def ask(client: Triptych, sql: str, selection: Selection | None = None) -> list[tuple[Any, ...]]:
    with over_replay(client, selection or Selection()) as database:
        return list(database.query(sql).rows)


def test_events_are_counted_as_they_are(client: Triptych, events: Sequence[Event]) -> None:
    assert dict(ask(client, "select type, count(*) from events group by 1")) == Counter(each.type for each in events)


def test_a_selection_is_all_that_is_seen(client: Triptych) -> None:
    chosen = Selection(event_types=("GenerationFailed",))
    assert ask(client, "select distinct type from events", chosen) == [("GenerationFailed",)]


def test_days_are_in_utc(client: Triptych, events: Sequence[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    by_day = Counter(each.record_time.date() for each in events if each.record_time)
    assert dict(ask(client, "select day, count(*) from events group by 1")) == by_day


def test_the_columns_are_those_that_are_promised(client: Triptych) -> None:
    with over_replay(client, Selection(until_position=1)) as database:
        assert set(database.query("select * from events").columns) == {*NAMES, "day"}


def test_generations_are_what_became_of_them(client: Triptych, events: Sequence[Event]) -> None:
    with over_replay(client) as database:
        answer = database.query("select * from generations")
        found = {row["generation_id"]: row for row in (dict(zip(answer.columns, each)) for each in answer.rows)}  # noqa: B905
    by_generation: dict[str, list[Event]] = {}
    for each in events:
        if each.generation_id:
            by_generation.setdefault(each.generation_id, []).append(each)
    assert found.keys() == by_generation.keys()
    assert len({row["state"] for row in found.values()}) >= 3
    for generation_id, its in by_generation.items():
        row = found[generation_id]
        requested = next(each for each in its if each.type == "GenerationRequested")
        assert (row["type"], row["user_id"]) == (requested.generation_type, requested.user_id)
        assert row["model"] == requested.payload["model"]
        assert row["requested"] == requested.record_time
        taken, back = (
            sum(each.payload["credits"] for each in its if each.type == kind)
            for kind in ("CreditsDebited", "CreditsRefunded")
        )
        assert (row["credits_taken"], row["credits_refunded"]) == (taken, back)
        ends = [
            each for each in its if each.type in ("GenerationSucceeded", "GenerationFailed", "GenerationCancelled")
        ]
        assert row["ended"] == (ends[0].record_time if ends else None)
        assert row["state"] == (ends[0].type.removeprefix("Generation").lower() if ends else "running")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", 'syntax error at or near "selec" (line 1)'),
        ("select nope from events", '"nope" not found'),
        ("select 1\nfrom nowhere", "(line 2)"),
        ("", "no statement"),
        ("select cast(type as integer) from events", "Could not convert"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client: Triptych, sql: str, said: str) -> None:
    with pytest.raises(QueryFailed) as failed:
        ask(client, sql)
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)


def test_an_empty_log_has_empty_views(tmp_path: Path) -> None:
    with serving_log() as server, Triptych(server.address) as client:
        assert ask(client, "select (select count(*) from events), (select count(*) from generations)") == [(0, 0)]


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(LibraryMissing) as missing:
        library("no_such_library.core")
    assert missing.value.library == "no_such_library"
    assert "pip install 'triptych[analysts]'" in str(missing.value)
