"""Rows of an older gallery: which column is which, and what a row must tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from service.application.imports_rows import RawRow, Reading, Row, map_columns, read_row
from service.domain.errors import InvalidField

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
VALUES: dict[str, str | None] = {"id": "5", "user_id": "7", "ts": "2024-05-01T12:00:00", "url": "", "path": "a.png"}
READING = Reading(columns=map_columns([*VALUES, "prompt"], {"created_at": "ts"}), default_type="avatar")


def row_of(reading: Reading = READING, /, **changes: Any) -> Row:
    return read_row(RawRow(3, VALUES | changes), reading)


def test_columns_are_guessed_and_the_chosen_ones_go_first() -> None:
    found = ["id", "user_id", "created_at", "ts", "image_url", "image_path", "prompt"]
    assert map_columns(found, {"created_at": "ts"}) == {
        "id": ["id"],
        "user_id": ["user_id"],
        "created_at": ("ts",),
        "media": ["image_url", "image_path"],
        "prompt": ["prompt"],
    }


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"colour": "id"}, "is nothing that a row tells"),
        ({"media": "nope"}, "'nope' is not a column; there are: id, user_id"),
        ({}, "no column for created_at, media; say --map created_at=COLUMN, of: id, user_id"),
    ],
)
def test_columns_that_are_not_there_are_named(chosen: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidField, match=why):
        map_columns(["id", "user_id"], chosen)


def test_what_a_row_does_not_tell_has_its_default() -> None:
    row = row_of()
    assert (row.number, row.media, row.typed, row.cut_characters) == (3, "a.png", False, 0)
    assert (row.item.import_id, row.item.user_id, row.item.generation_type) == ("5", "7", "avatar")
    assert (row.item.prompt, row.item.source_model, row.item.created_at) == ("", "", NOON)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T12:00:00Z",
        "2024-05-01 15:00:00+03",
        "2024-05-01T15:00+03:00",
        "1714564800",
        "1714564800.0",
        "1714564800000",
    ],
)
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert row_of(ts=text).item.created_at == NOON


def test_a_time_without_a_zone_is_of_the_one_that_is_told() -> None:
    in_moscow = msgspec.structs.replace(READING, zone=ZoneInfo("Europe/Moscow"))
    assert row_of(in_moscow, ts="2024-05-01 15:00:00").item.created_at == NOON
    assert row_of(in_moscow, ts="2024-05-01T12:00Z").item.created_at == NOON


@pytest.mark.parametrize(("field", "text"), [("id", " "), ("user_id", None), ("ts", "yesterday"), ("ts", "infinity")])
def test_a_row_that_cannot_be_read_names_its_column(field: str, text: str | None) -> None:
    with pytest.raises(InvalidField) as raised:
        row_of(**{field: text})
    assert raised.value.field == field


def test_a_row_without_a_file_names_all_columns_where_one_could_be() -> None:
    with pytest.raises(InvalidField, match="url or path: is empty"):
        row_of(path=None)


def test_users_get_the_names_that_they_have_here() -> None:
    assert row_of(msgspec.structs.replace(READING, user_template="telegram-{id}")).item.user_id == "telegram-7"


def test_a_prompt_that_is_too_long_is_cut() -> None:
    row = row_of(prompt="ж" * 10_007)
    assert (len(row.item.prompt), row.cut_characters) == (10_000, 7)
