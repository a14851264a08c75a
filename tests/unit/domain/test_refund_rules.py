"""Refund rules by name, of which the service keeps to one."""

from __future__ import annotations

import pytest

from service.domain.errors import InvalidField
from service.domain.refund_rules import REFUND_RULES, find_rule
from service.domain.refunds import credits_to_refund


@pytest.mark.parametrize(
    ("name", "for_none_of_four", "for_two_of_four", "for_all_four"),
    [
        ("undelivered", 20, 10, 0),
        ("failed", 20, 0, 0),
        ("incomplete", 20, 20, 0),
        ("none", 0, 0, 0),
    ],
)
def test_what_comes_back(name: str, for_none_of_four: int, for_two_of_four: int, for_all_four: int) -> None:
    rule = find_rule(name)
    back = [rule(credits_per_output=5, asked_count=4, delivered_count=count) for count in (0, 2, 4)]
    assert back == [for_none_of_four, for_two_of_four, for_all_four]


def test_the_usual_one_is_that_of_the_service() -> None:
    assert find_rule("") is credits_to_refund


def test_an_unknown_one_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidField) as refused:
        find_rule("generous")
    assert refused.value.field == "refund_rule"
    assert all(name in str(refused.value) for name in REFUND_RULES)
