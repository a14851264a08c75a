"""What the rows of an older gallery tell, and in which columns.

Everything comes as text, from a table as from a file. Names of columns are guessed, best first, and can be chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import msgspec

from service.domain.errors import InvalidField
from service.domain.generation.importing import MAX_PROMPT_CHARACTERS, OlderItem

GUESSES: Mapping[str, Sequence[str]] = {
    "id": ("id", "image_id", "generation_id", "uuid"),
    "user_id": ("user_id", "telegram_id", "tg_user_id", "owner_id", "user"),
    "created_at": ("created_at", "created", "create_time", "date_created", "timestamp", "ts"),
    "media": ("image_url", "image_path", "url", "path", "file_path", "result_url", "video_url", "image"),
    "prompt": ("prompt", "text", "description"),
    "type": ("generation_type", "type"),
    "model": ("source_model", "model", "model_name"),
}
"""What a row may tell, and the columns in which it is looked for. A row's file is in the first of its columns that is
not empty."""
NEEDED = ("id", "user_id", "created_at", "media")
USER_ID = "{id}"
"""Stands for the older gallery's id in a template of ours."""

_SECONDS = re.compile(r"\d{1,15}(\.\d*)?")
_MILLISECONDS_FROM = 1e11
"""As seconds, a number as large as this would be in the year 5138."""


class RawRow(NamedTuple):
    """A row as it was found. ``values`` is by column; ``problem`` says why there is nothing to be read from it."""

    number: int
    values: Mapping[str, str | None]
    problem: str = ""


class SourceBroken(Exception):
    """The older gallery cannot be read on from here. What was read before is as it should be."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can be read. ``media`` is a url or a path."""

    number: int
    item: OlderItem
    media: str
    typed: bool
    """Whether the row itself names its type."""
    cut_characters: int = 0
    """How many characters the prompt had too many."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are read where they leave something open."""

    columns: Mapping[str, Sequence[str]]
    default_type: str
    user_template: str = USER_ID
    zone: tzinfo = UTC
    """Of times that name none."""


def map_columns(found: Sequence[str], chosen: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """From what a row tells to its columns. Raises InvalidField for a column that is not there, or not found."""
    for field, column in chosen.items():
        if field not in GUESSES:
            raise InvalidField("map", f"{field!r} is nothing that a row tells; there are: {', '.join(GUESSES)}")
        if column not in found:
            raise InvalidField("map", f"{column!r} is not a column; there are: {', '.join(found)}")
    mapped: dict[str, Sequence[str]] = {field: (column,) for field, column in chosen.items()}
    for field, guesses in GUESSES.items():
        if field not in mapped and (there := [each for each in guesses if each in found]):
            mapped[field] = there if field == "media" else there[:1]
    if missing := [field for field in NEEDED if field not in mapped]:
        raise InvalidField(
            "map", f"no column for {', '.join(missing)}; say --map {missing[0]}=COLUMN, of: {', '.join(found)}"
        )
    return mapped


def read_row(raw: RawRow, reading: Reading) -> Row:
    """Raises InvalidField that names what the row lacks, and its column."""
    told = {field: _first(raw, columns) for field, columns in reading.columns.items()}
    for field in NEEDED:
        if not told[field]:
            raise InvalidField(" or ".join(reading.columns[field]), "is empty")
    prompt = told.get("prompt", "")
    return Row(
        number=raw.number,
        item=OlderItem(
            import_id=told["id"],
            user_id=reading.user_template.replace(USER_ID, told["user_id"]),
            created_at=_time(reading.columns["created_at"][0], told["created_at"], reading.zone),
            generation_type=told.get("type") or reading.default_type,
            prompt=prompt[:MAX_PROMPT_CHARACTERS],
            source_model=told.get("model", ""),
        ),
        media=told["media"],
        typed=bool(told.get("type")),
        cut_characters=max(0, len(prompt) - MAX_PROMPT_CHARACTERS),
    )


def _first(raw: RawRow, columns: Sequence[str]) -> str:
    return next((text for column in columns if (text := (raw.values.get(column) or "").strip())), "")


def _time(column: str, text: str, zone: tzinfo) -> datetime:
    """ISO 8601, or seconds or milliseconds since 1970."""
    try:
        if _SECONDS.fullmatch(text):
            since = float(text)
            return datetime.fromtimestamp(since / 1000 if since >= _MILLISECONDS_FROM else since, UTC)
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidField(column, f"{text[:60]!r} is not a time such as 2024-05-01T12:00:00Z") from None
