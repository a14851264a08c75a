"""Checks of what the domain does not see: pages, positions, free text. Each raises InvalidField."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from service.domain.errors import InvalidField

DEFAULT_PAGE_SIZE = 24
MAX_PAGE_SIZE = 200
MAX_WORDS_LENGTH = 200
MAX_NOTE_LENGTH = 500


def page_size(
    asked: int, *, default: int = DEFAULT_PAGE_SIZE, most: int = MAX_PAGE_SIZE, field: str = "page_size"
) -> int:
    """``asked``, or the default for 0."""
    if not 0 <= asked <= most:
        raise InvalidField(field, f"must be 1 to {most}, or 0 for {default}; not {asked}")
    return asked or default


def free_text(field: str, value: str, *, most: int | None = None) -> str:
    """``value``. The NUL character is refused because PostgreSQL keeps no text with it."""
    if "\0" in value:
        raise InvalidField(field, "contains the NUL character (U+0000); leave it out")
    if most is not None and len(value) > most:
        raise InvalidField(field, f"must be at most {most} characters, not {len(value)}")
    return value


def time(field: str, value: Timestamp) -> datetime:
    """``value`` in UTC, cut to microseconds."""
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidField(field, "must be a time of the years 1 to 9999, with nanos of 0 to 999999999") from None
