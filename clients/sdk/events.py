"""The log's events, and plain values made of any message of the contract.

An event's ``payload`` is a mapping with the fields of its message in ``events.proto``: numbers, text, words for
enums, aware datetimes, mappings, tuples. So a reader needs no generated code, and an event of a type that is newer
than this client still arrives, with its name, its place and an empty payload.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from triptych.v1.events_pb2 import Event as EventMessage
from triptych.v1.history_service_pb2 import EventType as EventTypeMessage
from triptych.v1.history_service_pb2 import ReplayEventsResponse

from clients.sdk.enums import enum_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. ``position`` is its place in the log: resume after it."""

    position: int
    stream: str
    version: int
    event_id: str
    type: str
    record_time: datetime | None
    correlation_id: str
    causation_id: str
    actor: str
    traceparent: str
    user_id: str
    """Whose it is, also where the payload does not name the user."""
    generation_type: str
    """Of the generation that it is about; empty when it is about none."""
    payload: Mapping[str, Any]

    @property
    def generation_id(self) -> str:
        """The generation that it is about; empty when it is about none."""
        return str(self.payload.get("generation_id", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """The next events, maybe none. Everything up to ``position`` has been sent or filtered out: resume from there."""

    events: tuple[Event, ...]
    position: int
    caught_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A type of events, and how many of it are in the log. The times are None where there is none."""

    name: str
    category: str
    description: str
    versions: tuple[int, ...]
    json_schema: Mapping[str, Any]
    count: int
    first_time: datetime | None
    last_time: datetime | None


def event(message: EventMessage) -> Event:
    """An event as it is in the log."""
    name = message.WhichOneof("payload")
    return Event(
        position=message.position,
        stream=message.stream,
        version=message.version,
        event_id=message.event_id,
        type=message.type,
        record_time=time_of(message.record_time) if message.HasField("record_time") else None,
        correlation_id=message.correlation_id,
        causation_id=message.causation_id,
        actor=message.actor,
        traceparent=message.traceparent,
        user_id=message.user_id,
        generation_type=message.generation_type,
        payload=plain(getattr(message, name)) if name else {},
    )


def event_batch(message: ReplayEventsResponse) -> EventBatch:
    """One message of a replay."""
    return EventBatch(
        events=tuple(event(each) for each in message.events),
        position=message.position,
        caught_up=message.caught_up,
    )


def event_type(message: EventTypeMessage) -> EventType:
    """A type as the service describes it."""
    return EventType(
        name=message.name,
        category=message.category,
        description=message.description,
        versions=tuple(message.versions),
        json_schema=json.loads(message.json_schema),
        count=message.count,
        first_time=time_of(message.first_time) if message.HasField("first_time") else None,
        last_time=time_of(message.last_time) if message.HasField("last_time") else None,
    )


def time_of(timestamp: Timestamp) -> datetime:
    """A timestamp as an aware datetime in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def plain(message: Message) -> dict[str, Any]:
    """All fields of a message by name, also those with their default; None for what may be absent and is."""
    fields: dict[str, Any] = {}
    for name, may_be_absent, is_repeated, convert in _fields(message.DESCRIPTOR):
        if may_be_absent and not message.HasField(name):
            fields[name] = None
            continue
        value = getattr(message, name)
        if is_repeated:
            fields[name] = tuple(value if convert is None else map(convert, value))
        else:
            fields[name] = value if convert is None else convert(value)
    return fields


class _Field(NamedTuple):
    name: str
    may_be_absent: bool
    is_repeated: bool
    convert: Callable[[Any], Any] | None


@functools.cache
def _fields(descriptor: Descriptor) -> tuple[_Field, ...]:
    """What is to be known of a message's fields. Asked of the descriptor for every message, it would take most of the
    time of a replay."""
    return tuple(
        _Field(field.name, field.has_presence, field.is_repeated, _converter(field)) for field in descriptor.fields
    )


def _converter(field: Any) -> Callable[[Any], Any] | None:
    if field.enum_type is not None:
        return functools.partial(enum_word, field.enum_type)
    if field.message_type is None:
        return None
    return time_of if field.message_type.full_name == Timestamp.DESCRIPTOR.full_name else plain


def to_dict(result: Any) -> Any:
    """A result of this package as what ``json.dumps`` takes: dicts, lists, ISO times. Keys are the fields' names."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return {field.name: to_dict(getattr(result, field.name)) for field in dataclasses.fields(result)}
    if isinstance(result, Mapping):
        return {str(key): to_dict(value) for key, value in result.items()}
    if isinstance(result, list | tuple):
        return [to_dict(each) for each in result]
    if isinstance(result, date):  # Also those with a time.
        return result.isoformat()
    if isinstance(result, Enum):
        return result.value
    return str(result) if isinstance(result, Path) else result
