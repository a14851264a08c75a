"""The number that people see, and what deep links mean."""

from __future__ import annotations

import pytest

from clients.sdk import TypeCount
from clients.telegram.links import Target, item_payload, target_of
from clients.telegram.views import FAVORITES, TRASH, View, counts_of, number_after, where
from tests.unit.clients.telegram.samples import GENERATION_ID, ITEM_ID


@pytest.mark.parametrize(
    ("number", "direction", "step", "change", "before", "total", "seen"),
    [
        (3, 1, 1, 0, 9, 9, 4),
        (3, -1, -1, 0, 9, 9, 2),
        (3, 1, 0, 0, 9, 9, 3),
        (3, 1, 1, 0, 9, 11, 6),  # Two came before it.
        (3, 1, 0, -1, 9, 8, 3),  # Deleted: the older one takes its place,
        (3, -1, 0, -1, 9, 8, 2),  # or the newer one, if that is the way one came.
        (3, 1, 0, 1, 8, 9, 3),
        (2, -1, 0, 1, 8, 9, 3),
        (9, 1, 1, 0, 9, 9, 9),
        (0, 1, 1, 0, 9, 9, 0),  # Not known.
        (5, 1, 0, 0, 0, 9, 5),
        (1, 1, 0, -1, 1, 0, 0),
    ],
)
def test_the_number_is_counted_along(
    number: int, direction: int, step: int, change: int, before: int, total: int, seen: int
) -> None:
    view = View(number=number, direction=direction, total=before)
    assert number_after(view, step, change, total, first=False, last=False) == seen


def test_both_ends_put_the_number_right() -> None:
    assert number_after(View(number=7, total=9), 1, 0, 9, first=True, last=False) == 1
    assert number_after(View(number=7, total=9), 1, 0, 9, first=False, last=True) == 9


def test_lists_and_their_counts() -> None:
    counts = (
        TypeCount(type="avatar", count=1, favorite_count=1, trashed_count=0),
        TypeCount(type="imagen4", count=4, favorite_count=2, trashed_count=5),
    )
    assert counts_of(counts) == {"avatar": 1, "imagen4": 4, "": 5, FAVORITES: 3, TRASH: 5}
    assert where("") == {"type": None}
    assert where("video") == {"type": "video"}
    assert where(FAVORITES) == {"favorite_only": True}
    assert where(TRASH) == {"trashed": True}


def test_deep_links() -> None:
    payload = item_payload(ITEM_ID)
    assert payload == f"item_{GENERATION_ID}_0"
    assert len(payload) <= 64
    assert target_of(payload) == Target("item", ITEM_ID)
    assert target_of("new") == Target("new")
    assert target_of("new_video") == Target("new", "video")
    assert target_of("gallery") == Target("gallery")
    for unknown in ("", "item_", "anything"):
        assert target_of(unknown) == Target("start")
