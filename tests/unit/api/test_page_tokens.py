"""A page token leads back to its place, and only there."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api.page_tokens import EntryCursor, decode_cursor, decode_entry_cursor, encode
from service.domain.errors import InvalidField
from service.ports.read_models import Cursor

QUESTION = ("items", "user-1", "imagen4", False, False, "")

cursors = st.builds(
    Cursor,
    create_time=st.datetimes(timezones=st.just(UTC)),
    create_position=st.integers(0, 2**63 - 1),
    direction=st.sampled_from(["older", "newer"]),
)


@given(cursors)
def test_token_leads_back_to_its_place(cursor: Cursor) -> None:
    assert decode_cursor(encode(cursor, QUESTION), QUESTION) == cursor


@given(st.builds(EntryCursor, st.integers(0, 2**63 - 1), st.sampled_from(["older", "newer"])))
def test_token_of_a_statement_leads_back_to_its_place(cursor: EntryCursor) -> None:
    assert decode_entry_cursor(encode(cursor, ("ledger", "user-1")), ("ledger", "user-1")) == cursor


def test_no_place_is_no_token() -> None:
    assert encode(None, QUESTION) == ""
    assert decode_cursor("", QUESTION) is None


@pytest.mark.parametrize(
    "other",
    [
        ("items", "user-2", "imagen4", False, False, ""),
        ("items", "user-1", "video", False, False, ""),
        ("items", "user-1", "imagen4", True, False, ""),
        ("items", "user-1", "imagen4", False, True, ""),
        ("items", "user-1", "imagen4", False, False, "fox"),
        ("generations", "user-1", False),
    ],
)
def test_token_of_another_question_is_refused(other: tuple[str | bool, ...]) -> None:
    token = encode(Cursor(datetime(2026, 11, 25, tzinfo=UTC), 7), QUESTION)
    with pytest.raises(InvalidField, match="belongs to another user or other filters") as caught:
        decode_cursor(token, other)
    assert caught.value.field == "page_token"


@given(st.data(), cursors)
def test_damaged_token_is_refused(data: st.DataObject, cursor: Cursor) -> None:
    raw = bytearray(_unpad(encode(cursor, QUESTION)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidField):
        decode_cursor(base64.urlsafe_b64encode(bytes(raw)).decode(), QUESTION)


@given(st.text())
def test_made_up_token_is_refused(token: str) -> None:
    if not token:
        return
    with pytest.raises(InvalidField) as caught:
        decode_cursor(token, QUESTION)
    assert caught.value.field == "page_token"


@pytest.mark.parametrize("token", ["AQ", "not a token", "x" * 513, "%%%", "жж", "QUJD"])
def test_made_up_token_is_refused_in_plain_words(token: str) -> None:
    with pytest.raises(InvalidField, match="begin again without one"):
        decode_cursor(token, QUESTION)


def test_token_of_the_order_by_position_is_refused_as_an_earlier_one() -> None:
    earlier = base64.urlsafe_b64encode(b"\x01" + bytes(8) + b'[7,"item","older"]').decode()
    with pytest.raises(InvalidField, match="given out by an earlier version of this service; begin again"):
        decode_cursor(earlier, QUESTION)


def test_token_of_another_list_is_refused_even_with_the_right_question() -> None:
    token = encode(EntryCursor(3), QUESTION)
    with pytest.raises(InvalidField, match="not a token of this list"):
        decode_cursor(token, QUESTION)


def _unpad(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
