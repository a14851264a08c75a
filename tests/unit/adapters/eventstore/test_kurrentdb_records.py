"""Our events as KurrentDB's records, and back."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import kurrentdbclient as kdb
import msgspec
import pytest

from service.adapters.eventstore.codec import EventCodec
from service.adapters.eventstore.kurrentdb_records import (
    EVERYTHING,
    is_ours,
    recorded_at,
    to_record,
    to_stored,
    types_pattern,
)
from service.domain.generation.events import ItemFavorited
from service.ports.event_store import Metadata, NewEvent, UnreadableEvent

CODEC = EventCodec()
SERVER_TIME = datetime(2026, 11, 25, 12, tzinfo=UTC)
NEW = NewEvent(
    uuid.uuid4(),
    ItemFavorited(generation_id="g", item_id="i"),
    Metadata(correlation_id="c", causation_id="d", actor="e", traceparent="00-1-2-00"),
)


def recorded(
    new: kdb.NewEvent, *, metadata: bytes | None = None, stream: str = "a-1", type: str = ""
) -> kdb.RecordedEvent:
    """As a server gives it back: with the schema's name and format among the metadata."""
    properties = msgspec.json.decode(new.metadata) | {"$schema.name": new.type, "$schema.format": "Json"}
    return kdb.RecordedEvent(
        type=type or new.type,
        data=new.data,
        metadata=msgspec.json.encode(properties) if metadata is None else metadata,
        content_type="application/json",
        id=new.id,
        stream_name=stream,
        stream_position=6,
        commit_position=4711,
        prepare_position=4711,
        recorded_at=SERVER_TIME,
    )


def test_an_event_comes_back_as_it_was() -> None:
    event = CODEC.decode(to_stored(recorded(to_record(CODEC.encode(NEW)))))
    assert (event.event, event.metadata, event.event_id) == (NEW.event, NEW.metadata, NEW.event_id)
    assert (event.position, event.stream, event.version, event.recorded_at) == (4711, "a-1", 7, SERVER_TIME)


def test_metadata_have_the_names_that_kurrentdbs_tools_follow_and_are_strings() -> None:
    encoded = CODEC.encode(NEW)._replace(metadata=b'{"correlation_id":"c","causation_id":"d","schema_version":2}')
    properties = msgspec.json.decode(to_record(encoded).metadata)
    assert properties == {"$correlationId": "c", "$causationId": "d", "schema_version": "2"}


def test_a_schema_version_is_a_number_again() -> None:
    record = recorded(to_record(CODEC.encode(NEW)), metadata=b'{"schema_version":"2"}')
    assert msgspec.json.decode(to_stored(record).metadata) == {"schema_version": 2}


def test_the_time_of_a_copied_event_is_kept_and_is_no_metadata_of_ours() -> None:
    time = datetime(2020, 2, 29, 1, 2, 3, 456789, tzinfo=UTC)
    record = recorded(to_record(CODEC.encode(NEW), time))
    assert recorded_at(record) == time
    assert CODEC.decode(to_stored(record)).metadata == NEW.metadata


@pytest.mark.parametrize(
    "metadata", [b"\xff", b"[1]", b'{"a": 1}', b'{"schema_version": "two"}', b'{"recorded_at": "yesterday"}']
)
def test_metadata_of_somebody_else_make_an_unreadable_event(metadata: bytes) -> None:
    record = recorded(to_record(CODEC.encode(NEW)), metadata=metadata)
    with pytest.raises(UnreadableEvent, match="position 4711"):
        CODEC.decode(to_stored(record))
    assert recorded_at(record) == SERVER_TIME


def test_kurrentdbs_own_events_are_not_ours() -> None:
    ours = to_record(CODEC.encode(NEW))
    assert is_ours(recorded(ours))
    assert not is_ours(recorded(ours, type="$metadata"))
    assert not is_ours(recorded(ours, stream="$settings"))


def _matches(pattern: str, name: str) -> bool:
    return re.search(f"^{pattern}$", name) is not None  # as the client builds it, and the server uses it


def test_a_pattern_matches_whole_types_only() -> None:
    pattern = types_pattern(["ItemTrashed", "ItemFavorited"])
    assert _matches(pattern, "ItemTrashed")
    assert _matches(pattern, "ItemFavorited")
    for other in ("ItemTrashedTwice", "NotItemFavorited", "Item", "ItemFavorited.Trashed", "$ItemTrashed"):
        assert not _matches(pattern, other)


def test_everything_is_all_but_kurrentdbs_own() -> None:
    assert _matches(EVERYTHING, "ItemTrashed")
    assert not _matches(EVERYTHING, "$metadata")
