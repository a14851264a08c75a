"""The refund rule: what was not delivered comes back."""

from __future__ import annotations


def credits_to_refund(*, credits_per_output: int, asked_count: int, delivered_count: int) -> int:
    """Credits to give back when a generation ends: its price for every output that was asked and did not come.

    Two of four pictures at 5 credits: 10. More than asked never costs more.
    """
    return credits_per_output * max(asked_count - max(delivered_count, 0), 0)
