"""Every event reaches the wire with everything that is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from triptych.v1 import events_pb2

from service.api.convert_events import PAYLOADS, RENAMED, events
from service.application.owners import OwnedEvent, Owner
from service.domain.events import EVENT_TYPES
from service.domain.generation.events import StoredMedia
from service.ports.event_store import Metadata, RecordedEvent
from tests.support import strategies

EVENT_ID = UUID("00000000-0000-4000-8000-000000000001")
RECORDED_AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

# Wider in the domain's types than what can be in the log and on the wire.
NARROWER = {
    "failure_reason": st.sampled_from(["", "content_policy", "internal"]),
    "seed": st.none() | st.integers(0, 2**63 - 1),
    "duration_seconds": st.floats(0, 1e6),
}


def recorded(domain_event: Any) -> RecordedEvent:
    return RecordedEvent(
        position=7,
        stream="generation-g",
        version=3,
        event_id=EVENT_ID,
        event=domain_event,
        metadata=Metadata("correlation", "causation", "bot", "00-trace"),
        recorded_at=RECORDED_AT,
    )


def message_of(domain_event: Any) -> events_pb2.Event:
    (fields,) = events([OwnedEvent(recorded(domain_event), Owner("ann", "imagen4"))])
    return events_pb2.Event(**fields)


def test_contract_knows_every_event_and_no_other() -> None:
    assert PAYLOADS.keys() == EVENT_TYPES.keys()


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_contract_knows_every_field_and_no_other(name: str) -> None:
    fields = {RENAMED.get(field, field) for field in EVENT_TYPES[name].__struct_fields__}
    assert set(events_pb2.DESCRIPTOR.message_types_by_name[name].fields_by_name) == fields


def test_contract_knows_every_field_of_the_asked_parameters() -> None:
    asked = msgspec.structs.fields(EVENT_TYPES["GenerationRequested"])
    parameters = next(field.type for field in asked if field.name == "asked")
    fields = {RENAMED.get(field, field) for field in parameters.__struct_fields__}
    assert set(events_pb2.AskedParameters.DESCRIPTOR.fields_by_name) == fields


@given(strategies.events(), st.data())
def test_every_value_reaches_the_wire(domain_event: Any, data: st.DataObject) -> None:
    domain_event = _narrow(domain_event, data)
    message = message_of(domain_event)
    assert message.type == type(domain_event).__name__
    assert message.WhichOneof("payload") == PAYLOADS[message.type]
    _assert_same(getattr(message, PAYLOADS[message.type]), domain_event)
    assert events_pb2.Event.FromString(message.SerializeToString()) == message


def test_where_it_stands_and_why_reaches_the_wire() -> None:
    message = message_of(EVENT_TYPES["ItemTrashed"](generation_id="g", item_id="g.0"))
    assert (message.position, message.stream, message.version) == (7, "generation-g", 3)
    assert message.event_id == str(EVENT_ID)
    assert message.record_time.ToDatetime(tzinfo=UTC) == RECORDED_AT
    assert (message.correlation_id, message.causation_id) == ("correlation", "causation")
    assert (message.actor, message.traceparent) == ("bot", "00-trace")
    assert (message.user_id, message.generation_type) == ("ann", "imagen4")


def _narrow(values: Any, data: st.DataObject) -> Any:
    changes = {}
    for field in values.__struct_fields__:
        value = getattr(values, field)
        if field in NARROWER:
            changes[field] = data.draw(NARROWER[field])
        elif isinstance(value, msgspec.Struct):
            changes[field] = _narrow(value, data)
    return msgspec.structs.replace(values, **changes)


def _assert_same(message: Any, values: msgspec.Struct) -> None:
    for field in values.__struct_fields__:
        name = RENAMED.get(field, field)
        value, told = getattr(values, field), getattr(message, name)
        descriptor = message.DESCRIPTOR.fields_by_name[name]
        if value is None:
            assert not message.HasField(name)
        elif descriptor.enum_type is not None:
            word = descriptor.enum_type.values_by_number[told].name
            assert word.endswith("_" + (value or "unspecified").upper())
        elif isinstance(told, Timestamp):
            assert told.ToDatetime(tzinfo=UTC) == value
        elif isinstance(value, StoredMedia):
            assert {each: getattr(told, each) for each in value.__struct_fields__} == msgspec.structs.asdict(value)
        elif isinstance(value, msgspec.Struct):
            _assert_same(told, value)
        elif isinstance(value, tuple):
            assert tuple(told) == value
        else:
            assert told == value
