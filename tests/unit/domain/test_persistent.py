"""The persistent map behaves as a dict that is copied before every change."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.persistent import PersistentMap


def test_an_update_leaves_the_earlier_map_as_it_was() -> None:
    empty: PersistentMap[int] = PersistentMap()
    one = empty.set("a", 1)
    two = one.set("a", 2).set("b", 3)
    assert dict(empty) == {}
    assert dict(one) == {"a": 1}
    assert dict(two) == {"a": 2, "b": 3}


def test_a_missing_key_is_a_key_error() -> None:
    empty: PersistentMap[int] = PersistentMap()
    with pytest.raises(KeyError):
        empty["a"]
    with pytest.raises(KeyError):
        empty.set("b", 1)["a"]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.text(max_size=3), st.integers())))
def test_it_equals_the_dict_of_the_same_updates(updates: list[tuple[str, int]]) -> None:
    persistent: PersistentMap[int] = PersistentMap()
    plain: dict[str, int] = {}
    for key, value in updates:
        persistent = persistent.set(key, value)
        plain[key] = value
    assert dict(persistent) == plain
    assert len(persistent) == len(plain)
    assert all(persistent[key] == value for key, value in plain.items())


def test_map_of_many_entries_is_the_one_that_was_set_one_by_one() -> None:
    entries = [(f"key-{number % 700}", number) for number in range(1000)]
    one_by_one: PersistentMap[int] = PersistentMap()
    for key, value in entries:
        one_by_one = one_by_one.set(key, value)
    at_once = PersistentMap.of(entries)
    assert dict(at_once) == dict(one_by_one) == dict(entries)
    assert len(at_once) == len(one_by_one) == 700
    assert len(PersistentMap.of([])) == 0
    assert dict(at_once.set("new", 1)) == dict(entries) | {"new": 1}


def test_a_map_of_another_ones_buckets_is_equal_to_it() -> None:
    entries = PersistentMap.of((f"key-{number}", number) for number in range(700))
    again = PersistentMap.of_buckets(entries.buckets, len(entries))
    assert dict(again) == dict(entries)
    assert again["key-7"] == 7
    assert len(again.set("key-7", 8)) == 700
    assert len(PersistentMap.of_buckets((), 0)) == 0
    with pytest.raises(ValueError, match="512 buckets"):
        PersistentMap.of_buckets([{}], 0)
