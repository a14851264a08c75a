"""What watchers did not see as it is has to be named."""

from __future__ import annotations

import pytest

from clients.sdk import AsyncTriptych
from tests.soak.watchers import Watchers


@pytest.fixture
def watchers() -> Watchers:
    """Who saw three events and two items."""
    watchers = Watchers(AsyncTriptych("localhost:1"), ["anna"])
    watchers.positions = [1, 2, 3]
    watchers.items = {"anna": {"a", "b"}}
    return watchers


def test_who_saw_everything_has_nothing_to_say(watchers: Watchers) -> None:
    assert list(watchers.findings([1, 2, 3], {"anna": {"a", "b"}})) == []


@pytest.mark.parametrize(
    ("positions", "shown", "finding"),
    [
        ([1, 2, 3, 4], {"a", "b"}, "it missed [4]"),
        ([1, 3], {"a", "b"}, "the follower saw 3 events of 2"),
        ([1, 2, 3], {"a", "b", "c"}, "missed ['c'] and has []"),
        ([1, 2, 3], {"a"}, "missed [] and has ['b']"),
    ],
)
def test_what_was_missed_or_is_too_much_is_found(
    watchers: Watchers, positions: list[int], shown: set[str], finding: str
) -> None:
    (found,) = watchers.findings(positions, {"anna": shown})
    assert finding in found


def test_an_event_that_came_twice_is_found(watchers: Watchers) -> None:
    watchers.positions = [1, 2, 2, 3]
    (found,) = watchers.findings([1, 2, 3], {"anna": {"a", "b"}})
    assert "4 events of 3, 3 of them different" in found


async def test_who_has_seen_everything_waits_for_nothing(watchers: Watchers) -> None:
    await watchers.have_seen(3, {"anna": {"a", "b"}})
