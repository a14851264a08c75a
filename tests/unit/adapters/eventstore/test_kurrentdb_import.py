"""Which events of a history can be written with one append."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from service.adapters.eventstore.kurrentdb_import import PendingAppend
from service.domain.generation.events import ItemFavorited
from service.ports.event_store import NewEvent
from service.ports.history_import import DatedEvent

TIME = datetime(2026, 1, 1, tzinfo=UTC)


def dated(*streams: str) -> list[DatedEvent]:
    event = ItemFavorited(generation_id="g", item_id="i")
    return [DatedEvent(stream, 1, NewEvent(uuid.uuid4(), event), TIME) for stream in streams]


def pending(*streams: str, most_events: int = 10) -> PendingAppend:
    append = PendingAppend(most_events)
    for event in dated(*streams):
        append.add(event)
    return append


def test_streams_that_do_not_come_up_again_keep_their_order() -> None:
    assert pending().keeps_order(dated("a", "a", "b", "c", "c"))
    assert pending("a", "b").keeps_order(dated("b", "c"))


def test_a_stream_that_comes_up_again_would_be_moved_forward() -> None:
    assert not pending().keeps_order(dated("a", "b", "a"))
    assert not pending("a", "b").keeps_order(dated("a"))


def test_names_that_differ_in_case_only_are_the_same_to_the_server() -> None:
    assert not pending().keeps_order(dated("user-A", "user-a"))
    assert not pending("user-A").keeps_order(dated("b", "user-a"))


def test_there_is_room_for_so_many_events() -> None:
    assert pending("a", "a", most_events=3).has_room_for(dated("b"))
    assert not pending("a", "a", most_events=3).has_room_for(dated("b", "c"))
    assert pending("a", "a", most_events=3).keeps_order(dated("b", "c"))  # a group of any size stays together
