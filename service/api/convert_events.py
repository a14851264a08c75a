"""From recorded events to messages, field by field and by name.

An event's message has the event's name and its fields' names, except where the contract's words differ (times are
``..._time`` there). A test goes through every event type, so one that the contract does not know cannot slip in.

Replays convert millions of events, so what has to be done for each field of a type is worked out once, and a message
is made in one go from plain values, which protobuf does in C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple, get_args

import msgspec
from triptych.v1 import account_pb2, events_pb2, generation_pb2

from service.api.convert import enum_value, time_fields
from service.application.owners import OwnedEvent, Owner
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
    "created_at": "create_time",
    "deadline_at": "deadline_time",
    "started_at": "start_time",
    "grace_until": "grace_end_time",
    "retry_at": "retry_time",
    "refunded_at": "refund_time",
    "generation_type": "type",
}

_ENUMS: Mapping[str, Callable[[str], int]] = {
    "failure_reason": lambda word: enum_value(generation_pb2.FailureReason, "FAILURE_REASON", word),
    "own_words_reason": lambda word: enum_value(generation_pb2.OwnWordsReason, "OWN_WORDS_REASON", word),
    "source": lambda word: enum_value(generation_pb2.PromptSource, "PROMPT_SOURCE", word),
    "cause": lambda word: enum_value(account_pb2.RefundCause, "REFUND_CAUSE", word),
    "learned_from": lambda word: enum_value(events_pb2.SubmissionSource, "SUBMISSION_SOURCE", word),
}


class _Field(NamedTuple):
    """How a field of an event gets into its message."""

    field: str
    name: str
    convert: Callable[[Any], Any] | None
    """None: as it is."""


Plan = tuple[_Field, ...]


def events(owned: Iterable[OwnedEvent]) -> Any:
    """What a repeated field of Events takes: recorded events, with what they leave unsaid (whose they are), as plain
    values."""
    return [_event_fields(*each) for each in owned]


def _event_fields(recorded: RecordedEvent, owner: Owner) -> dict[str, Any]:
    metadata = recorded.metadata
    values = recorded.event
    name = type(values).__name__
    return {
        "position": recorded.position,
        "stream": recorded.stream,
        "version": recorded.version,
        "event_id": str(recorded.event_id),
        "type": name,
        "record_time": time_fields(recorded.recorded_at),
        "correlation_id": metadata.correlation_id,
        "causation_id": metadata.causation_id,
        "actor": metadata.actor,
        "traceparent": metadata.traceparent,
        "user_id": owner.user_id,
        "generation_type": owner.generation_type,
        PAYLOADS[name]: _fields(values, _plan(type(values))),
    }


def _fields(values: msgspec.Struct, plan: Plan) -> dict[str, Any]:
    found = {}
    for field, name, convert in plan:
        value = getattr(values, field)
        if value is not None:
            found[name] = value if convert is None else convert(value)
    return found


@lru_cache(None)
def _plan(cls: type[msgspec.Struct]) -> Plan:
    return tuple(
        _Field(each.name, RENAMED.get(each.name, each.name), _converter(each.name, each.type))
        for each in msgspec.structs.fields(cls)
    )


def _converter(field: str, kind: Any) -> Callable[[Any], Any] | None:
    if field in _ENUMS:
        return lru_cache(None)(_ENUMS[field])
    if datetime in (kind, *get_args(kind)):
        return time_fields
    if kind is StoredMedia:
        return msgspec.structs.asdict
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return partial(_fields, plan=_plan(kind))
    return None
