"""Mutations of what makes the read models."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from unittest.mock import patch

import msgspec

from service.domain.account import CreditsRefunded
from service.domain.generation.events import GenerationRequested, ImageProduced, VideoProduced
from service.ports.event_store import RecordedEvent
from service.projections.credits import CreditsFold, DebitType, StoredAccount
from service.projections.gallery import GalleryFold


def refunds_not_shown() -> list[Any]:
    right = CreditsFold.apply

    def apply(self: CreditsFold, recorded: RecordedEvent) -> None:
        if not isinstance(recorded.event, CreditsRefunded):
            right(self, recorded)

    return [patch.object(CreditsFold, "apply", apply)]


def items_kept_by_the_time_at_which_they_were_asked_for() -> list[Any]:
    """Whatever was asked for later and came sooner then stands in the wrong place."""
    right = GalleryFold.apply
    asked: dict[str, datetime] = {}

    def apply(self: GalleryFold, recorded: RecordedEvent) -> None:
        event = recorded.event
        if isinstance(event, GenerationRequested):
            asked[event.generation_id] = event.requested_at
        if isinstance(event, ImageProduced | VideoProduced):
            recorded = msgspec.structs.replace(recorded, recorded_at=asked[event.generation_id])
        right(self, recorded)

    return [patch.object(GalleryFold, "apply", apply)]


def each_batch_begun_from_nothing() -> list[Any]:
    right = CreditsFold.__init__

    def begin(self: CreditsFold, accounts: Iterable[StoredAccount], types: Iterable[DebitType]) -> None:
        right(self, [], types)

    return [patch.object(CreditsFold, "__init__", begin)]
