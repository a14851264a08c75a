"""From recorded events to messages, field by field and by name.

An event's message has the event's name and its fields' names, except where the contract's words differ (times are
``..._time`` there). A test goes through every event type, so one that the contract does not know cannot slip in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

import msgspec
from google.protobuf.message import Message
from triptych.v1 import account_pb2, events_pb2, generation_pb2

from service.api.convert import enum_value, media
from service.application.owners import Owner
from service.domain.decider import DomainEvent
from service.domain.generation.events import StoredMedia
from service.ports.event_store import RecordedEvent

PAYLOADS: Mapping[str, str] = {
    field.message_type.name: field.name
    for field in events_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}
"""From an event type's name to its field in the message Event."""

RENAMED: Mapping[str, str] = {
    "requested_at": "request_time",
    "deadline_at": "deadline_time",
    "started_at": "start_time",
    "grace_until": "grace_end_time",
    "retry_at": "retry_time",
    "refunded_at": "refund_time",
    "generation_type": "type",
}

NOBODY = Owner()

_ENUMS: Mapping[str, Callable[[str], int]] = {
    "failure_reason": lambda word: enum_value(generation_pb2.FailureReason, "FAILURE_REASON", word),
    "own_words_reason": lambda word: enum_value(generation_pb2.OwnWordsReason, "OWN_WORDS_REASON", word),
    "source": lambda word: enum_value(generation_pb2.PromptSource, "PROMPT_SOURCE", word),
    "cause": lambda word: enum_value(account_pb2.RefundCause, "REFUND_CAUSE", word),
    "learned_from": lambda word: enum_value(events_pb2.SubmissionSource, "SUBMISSION_SOURCE", word),
}


def event(recorded: RecordedEvent, owner: Owner = NOBODY) -> events_pb2.Event:
    """A recorded event, with what it leaves unsaid: whose it is."""
    metadata = recorded.metadata
    message = events_pb2.Event(
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        event_id=str(recorded.event_id),
        type=recorded.type,
        correlation_id=metadata.correlation_id,
        causation_id=metadata.causation_id,
        actor=metadata.actor,
        traceparent=metadata.traceparent,
        user_id=owner.user_id,
        generation_type=owner.generation_type,
    )
    message.record_time.FromDatetime(recorded.recorded_at)
    payload = getattr(message, PAYLOADS[recorded.type])
    payload.SetInParent()
    _fill(payload, cast(DomainEvent, recorded.event))
    return message


def _fill(message: Message, values: msgspec.Struct) -> None:
    for field in values.__struct_fields__:
        value = getattr(values, field)
        if value is None:
            continue
        name = RENAMED.get(field, field)
        if (to_enum := _ENUMS.get(field)) is not None:
            setattr(message, name, to_enum(value))
        else:
            _set(message, name, value)


def _set(message: Message, name: str, value: Any) -> None:
    match value:
        case datetime():
            getattr(message, name).FromDatetime(value)
        case StoredMedia():
            getattr(message, name).CopyFrom(media(value))
        case msgspec.Struct():
            _fill(getattr(message, name), value)
        case tuple():
            getattr(message, name).extend(value)
        case _:
            setattr(message, name, value)
