"""Mutations of what makes the read models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

from service.domain.account import CreditsRefunded
from service.ports.event_store import RecordedEvent
from service.projections.credits import CreditsFold, DebitType, StoredAccount


def refunds_not_shown() -> list[Any]:
    right = CreditsFold.apply

    def apply(self: CreditsFold, recorded: RecordedEvent) -> None:
        if not isinstance(recorded.event, CreditsRefunded):
            right(self, recorded)

    return [patch.object(CreditsFold, "apply", apply)]


def each_batch_begun_from_nothing() -> list[Any]:
    right = CreditsFold.__init__

    def begin(self: CreditsFold, accounts: Iterable[StoredAccount], types: Iterable[DebitType]) -> None:
        right(self, [], types)

    return [patch.object(CreditsFold, "__init__", begin)]
