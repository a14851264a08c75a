"""Moments of the log as they are written on the command line.

A position, a time with its zone (ISO 8601), or a word: ``now``, ``today``, ``yesterday``. A day is all of it, in this
machine's zone: since yesterday is from its beginning, until yesterday and as of yesterday are to its end. Times
without a zone are refused, because they mean different moments on different machines.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import typer

from clients.cli.problems import Usage
from clients.sdk import Moment

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="MOMENT", help="As it was then: yesterday, a time with its zone, or a position of the log."
    ),
]

_TICK = timedelta(microseconds=1)


def moment_of(option: str, text: str | None) -> Moment | None:
    """The last moment of what is written; None for the present. Raises Usage."""
    if text is None or text in ("now", "today"):
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    if text == "yesterday":
        return _midnight() - _TICK
    return _time(option, text)


def start_of(option: str, text: str | None) -> datetime | None:
    """The first moment of what is written. Raises Usage, also for positions."""
    match text:
        case None:
            return None
        case "now":
            return datetime.now().astimezone()
        case "today":
            return _midnight()
        case "yesterday":
            return _midnight(days_ago=1)
    if text.isdecimal():
        raise Usage(f"{option} takes a time; for the events behind a position say --after {text}.")
    return _time(option, text)


def end_of(option: str, text: str | None) -> tuple[Literal["until_position", "end_time"], Moment] | None:
    """Where a stretch of the log ends: inclusive for a position, exclusive for a time. None for its end."""
    moment = moment_of(option, text)
    if moment is None:
        return None
    if isinstance(moment, datetime):
        return "end_time", moment + _TICK if text == "yesterday" else moment
    return "until_position", moment


def _midnight(*, days_ago: int = 0) -> datetime:
    """The beginning of a day in this machine's zone."""
    day = datetime.now().astimezone().date() - timedelta(days=days_ago)
    # Made of the date alone, so that the zone's offset is that of its midnight.
    return datetime(day.year, day.month, day.day).astimezone()


def _time(option: str, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            f"{option} {text!r} is no moment: give a time such as 2026-11-25T14:00+03:00, yesterday, today, "
            "or a position of the log."
        ) from None
    if time.tzinfo is None:
        raise Usage(
            f"{option} {text!r} has no time zone; say which is meant, such as {time.isoformat(timespec='minutes')}"
            f"+03:00 or {time.isoformat(timespec='minutes')}Z."
        )
    return time
