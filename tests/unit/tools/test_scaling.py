"""The sizes of docs/scaling.md: they follow from the assumptions, and the page shows them."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from tools.scaling import MEANINGS, USERS, Assumptions, assumptions_table, size, table

GIVEN = Assumptions()


def test_a_size_by_hand() -> None:
    given = Assumptions(
        generations_a_day=0.864,
        events_a_generation=10,
        outputs_a_generation=2,
        event_bytes=1000,
        peak_factor=2,
        queries_a_generation=9,
        vendor_seconds=10,
        in_hand=20,
        api_calls_a_second=100,
        vendor_dollars=0.05,
    )
    found = size(10_000_000, given)
    assert round(found.generations_a_second) == 200
    assert (found.api_processes, found.workers) == (20, 100)
    assert round(found.events_gb_a_year) == 31_536
    assert round(found.vendor_dollars_a_month) == 25_920_000


def test_more_of_anything_costs_no_less() -> None:
    base = size(USERS[1], GIVEN)
    for name in ("generations_a_day", "event_bytes", "media_bytes", "vendor_seconds", "queries_a_generation"):
        more = size(USERS[1], replace(GIVEN, **{name: 10 * getattr(GIVEN, name)}))
        assert more.own_dollars_a_month > base.own_dollars_a_month, name


def test_every_assumption_is_explained() -> None:
    assert set(MEANINGS) == {each.name for each in fields(Assumptions)}


def test_the_page_shows_the_tables() -> None:
    page = (Path(__file__).parents[3] / "docs" / "scaling.md").read_text("utf-8")
    assert table(GIVEN) in page
    assert assumptions_table(GIVEN) in page
