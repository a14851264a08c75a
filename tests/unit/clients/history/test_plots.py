"""Plots: what is counted, by which period, and that the files are pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from clients.history.daily import MEASURES, NEEDED_EVENTS, Measure, Series, count
from clients.history.errors import FormatUnknown
from clients.history.plots import draw
from clients.history.source import Selection
from clients.history.sql import EventsDatabase, over_replay
from clients.sdk import Event, Triptych


@pytest.fixture(scope="module")
def database(client: Triptych) -> Iterator[EventsDatabase]:
    with over_replay(client, Selection(event_types=NEEDED_EVENTS)) as database:
        yield database


@pytest.mark.parametrize(
    ("measure", "type", "in_credits"),
    [
        ("generations", "GenerationRequested", False),
        ("failures", "GenerationFailed", False),
        ("refunds", "CreditsRefunded", True),
        ("credits", "CreditsDebited", True),
    ],
)
def test_each_day_has_what_happened_on_it(
    database: EventsDatabase, events: Sequence[Event], measure: Measure, type: str, in_credits: bool
) -> None:
    wanted: Counter[tuple[date, str]] = Counter()
    for each in events:
        if each.type == type and each.record_time is not None:
            wanted[each.record_time.date(), each.generation_type] += each.payload["credits"] if in_credits else 1
    series = count(database, measure)
    found = {
        (start, name): value
        for name, values in series.values.items()
        for start, value in zip(series.starts, values, strict=True)
        if value
    }
    assert found == wanted
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(series.starts))


def test_weeks_and_months_have_the_same_in_all(database: EventsDatabase) -> None:
    days, weeks, months = (count(database, "credits", period) for period in ("day", "week", "month"))
    assert {start.weekday() for start in weeks.starts} == {0}
    assert {start.day for start in months.starts} == {1}
    assert len(months.starts) < len(weeks.starts) < len(days.starts)
    for name, values in days.values.items():
        assert sum(values) == sum(weeks.values[name]) == sum(months.values[name])


def test_files_are_pictures(database: EventsDatabase, tmp_path: Path) -> None:
    series = [count(database, measure, "week") for measure in MEASURES]
    draw(series, tmp_path / "all.png")
    with Image.open(tmp_path / "all.png") as picture:
        picture.load()
        assert picture.width > 500
        assert picture.height > picture.width
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 10
    draw(series[:1], tmp_path / "one.svg")
    assert "<svg" in (tmp_path / "one.svg").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"all.png", "one.svg"}


def test_nothing_to_show_is_a_picture_too(tmp_path: Path) -> None:
    draw([Series(measure="refunds", period="day", starts=(), values={})], tmp_path / "none.png")
    with Image.open(tmp_path / "none.png") as picture:
        picture.load()


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown, match=r"\.png, \.svg, \.pdf"):
        draw([], tmp_path / "plot.gif")
