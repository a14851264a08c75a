"""The row of a generation, without a database: it says what the domain's state says, whatever the order."""

from __future__ import annotations

import uuid

import pytest

from service.domain.decider import DomainEvent
from service.domain.generation import events as e
from service.ports.event_store import Metadata, RecordedEvent
from service.projections.generations import begin, change
from service.projections.generations_schema import StoredGeneration
from service.projections.projection import UnknownRow
from tests.support.samples import (
    GENERATION_ID,
    NOW,
    cancellation_requested,
    cancelled,
    image,
    moderated,
    refunded,
    requested,
    submission_started,
    succeeded,
)


def row_after(*events: DomainEvent) -> StoredGeneration:
    first = requested()
    row = begin(recorded(first, 1), first)
    for position, event in enumerate(events, start=2):
        change(row, recorded(event, position))
    return row


def recorded(event: DomainEvent, position: int) -> RecordedEvent:
    return RecordedEvent(position, "stream", position, uuid.uuid4(), event, Metadata(), NOW)  # type: ignore[arg-type]


def test_the_request_sets_the_price_and_the_place_in_the_list() -> None:
    row = row_after()
    assert (row.credits_debited, row.create_position, row.update_position) == (20, 1, 1)


def test_steps_after_the_end_change_no_state() -> None:
    row = row_after(cancelled(), submission_started(), moderated(), cancellation_requested())
    assert (row.state, row.cancelling) == ("cancelled", False)


def test_refunds_add_up() -> None:
    assert row_after(refunded(10, "undelivered"), succeeded(2, 10), refunded(10, "manual")).credits_refunded == 20


def test_marks_reach_their_item_only() -> None:
    mark = e.ItemFavorited(generation_id=GENERATION_ID, item_id=image(1).item_id)
    row = row_after(image(0), image(1), succeeded(2), mark)
    assert [(each.favorite, each.update_position) for each in row.outputs] == [(False, 2), (True, 5)]


def test_a_mark_on_an_item_that_was_never_produced_is_poison() -> None:
    with pytest.raises(UnknownRow, match="generations projection knows no item"):
        row_after(e.ItemTrashed(generation_id=GENERATION_ID, item_id=image(0).item_id))
