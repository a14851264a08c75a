"""Ids: derived where identical requests must share one fate, checked where they come from outside."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import InvalidField
from service.domain.ids import (
    account_stream,
    check_external_id,
    check_generation_id,
    generation_id_for,
    generation_stream,
    item_id_for,
    split_item_id,
)


@pytest.mark.parametrize("value", ["a", "user-1", "a@b.example", "tg:12345", "A" * 128, "0=+_."])
def test_ordinary_ids_pass(value: str) -> None:
    assert check_external_id("user_id", value) == value


@pytest.mark.parametrize("value", ["", "a/b", "../x", "a b", "a\n", ".a", "-a", "ü", "a" * 129, "a\x00"])
def test_ids_that_could_not_be_a_file_name_are_refused_with_the_field(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_external_id("request_id", value)
    assert caught.value.field == "request_id"


def test_the_same_request_names_the_same_generation() -> None:
    assert generation_id_for("u", "r") == generation_id_for("u", "r")


def test_a_requests_name_is_fixed_for_ever() -> None:
    assert generation_id_for("user-1", "request-1") == "ff84ba82-3b75-596b-bfe5-115c322e13fd"


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))
def test_different_requests_name_different_generations(user: str, request: str, other: str, another: str) -> None:
    same = (user, request) == (other, another)
    assert (generation_id_for(user, request) == generation_id_for(other, another)) is same


def test_a_generations_id_is_read_in_every_spelling_and_kept_in_one() -> None:
    canonical = generation_id_for("u", "r")
    assert check_generation_id(canonical.upper()) == canonical
    assert check_generation_id(uuid.UUID(canonical).hex) == canonical


@pytest.mark.parametrize("value", ["", "7", "not-a-uuid", "../../etc"])
def test_what_is_no_uuid_is_refused(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_generation_id(value)
    assert caught.value.field == "generation_id"


def test_an_items_id_leads_back_to_its_generation() -> None:
    generation_id = generation_id_for("u", "r")
    assert split_item_id(item_id_for(generation_id, 3)) == (generation_id, 3)


@pytest.mark.parametrize("value", ["", "x.0", generation_id_for("u", "r"), generation_id_for("u", "r") + ".x"])
def test_what_is_no_items_id_is_refused(value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        split_item_id(value)
    assert caught.value.field == "item_id"


def test_streams_are_named_by_category_and_id() -> None:
    assert account_stream("u") == "account-u"
    assert generation_stream("g") == "generation-g"
