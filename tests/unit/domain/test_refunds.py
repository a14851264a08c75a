"""The refund rule, as a table."""

from __future__ import annotations

import pytest

from service.domain.refunds import credits_to_refund


@pytest.mark.parametrize(
    ("credits_per_output", "asked", "delivered", "back"),
    [
        (5, 4, 4, 0),
        (5, 4, 2, 10),
        (5, 4, 0, 20),
        (5, 1, 0, 5),
        (50, 1, 1, 0),
        (5, 2, 3, 0),
        (5, 4, -1, 20),
    ],
)
def test_what_was_not_delivered_comes_back(credits_per_output: int, asked: int, delivered: int, back: int) -> None:
    assert (
        credits_to_refund(credits_per_output=credits_per_output, asked_count=asked, delivered_count=delivered) == back
    )
