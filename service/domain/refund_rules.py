"""Refund rules that history can be replayed under, by name. The service itself keeps to ``undelivered``.

A rule says how many credits come back when a generation ends; what support gives back by hand is not its affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from service.domain.errors import InvalidField
from service.domain.refunds import credits_to_refund


class RefundRule(Protocol):
    """From how a generation ended to the credits that come back."""

    def __call__(self, *, credits_per_output: int, asked_count: int, delivered_count: int) -> int: ...


def nothing(*, credits_per_output: int, asked_count: int, delivered_count: int) -> int:
    """Nothing ever comes back."""
    return 0


def failed(*, credits_per_output: int, asked_count: int, delivered_count: int) -> int:
    """The whole price if nothing was delivered; otherwise the rest is lost."""
    return 0 if delivered_count > 0 else credits_per_output * asked_count


def incomplete(*, credits_per_output: int, asked_count: int, delivered_count: int) -> int:
    """The whole price unless everything was delivered."""
    return 0 if delivered_count >= asked_count else credits_per_output * asked_count


USUAL = "undelivered"
REFUND_RULES: Mapping[str, RefundRule] = {
    USUAL: credits_to_refund,
    "failed": failed,
    "incomplete": incomplete,
    "none": nothing,
}


def find_rule(name: str) -> RefundRule:
    """The rule of that name, the usual one for "". Raises InvalidField that names those there are."""
    rule = REFUND_RULES.get(name or USUAL)
    if rule is None:
        raise InvalidField("refund_rule", f"{name!r} is not a refund rule; there are: {', '.join(REFUND_RULES)}")
    return rule
