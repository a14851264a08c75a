"""Our events as KurrentDB's records, and back; and the filters that leave out what is not ours.

Data is the codec's JSON, byte for byte. Metadata become the record's properties, which must be strings; KurrentDB
gives them back as one JSON object, with some of its own (``$schema.name``) among them. Correlation and causation
stand under the names that KurrentDB's tools follow. A history that was copied keeps its times in ``recorded_at``.

A position is the commit position of the record. Since every record of an append commits itself, it has a position
of its own, also within an append to several streams; positions are offsets in bytes, so they have gaps.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

import kurrentdbclient as kdb
import msgspec

from service.adapters.eventstore.codec import EncodedEvent, StoredEvent

RECORDED_AT = "recorded_at"
_NAMES = {"correlation_id": "$correlationId", "causation_id": "$causationId"}
_OUR_NAMES = {theirs: ours for ours, theirs in _NAMES.items()}
_BROKEN = b"null"

EVERYTHING = r"[^$].*"
"""Event types that are not KurrentDB's own, as a pattern for the whole type."""


def types_pattern(types: Collection[str]) -> str:
    """A pattern that matches these types whole and no other. One alternative: the client joins several wrongly."""
    return f"(?:{'|'.join(re.escape(each) for each in sorted(types))})"


def is_ours(record: kdb.RecordedEvent) -> bool:
    return not record.type.startswith("$") and not record.stream_name.startswith("$")


def to_record(encoded: EncodedEvent, recorded_at: datetime | None = None) -> kdb.NewEvent:
    """``recorded_at`` only for events that happened elsewhere; the server says when ours do."""
    document: dict[str, str | int] = msgspec.json.decode(encoded.metadata)
    properties = {_NAMES.get(name, name): str(value) for name, value in document.items()}
    if recorded_at is not None:
        properties[RECORDED_AT] = recorded_at.astimezone(UTC).isoformat()
    return kdb.NewEvent(
        type=encoded.type, data=encoded.data, metadata=msgspec.json.encode(properties), id=encoded.event_id
    )


def to_stored(record: kdb.RecordedEvent) -> StoredEvent:
    """The record as a row of the log. Metadata that are not ours become what the codec refuses, with its place."""
    try:
        properties = msgspec.json.decode(record.metadata or b"{}", type=dict[str, str])
        metadata, kept_time = _our_metadata(properties), _kept_time(properties)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        metadata, kept_time = _BROKEN, None
    return StoredEvent(
        record.commit_position,
        record.stream_name,
        record.stream_position + 1,
        record.id,
        record.type,
        record.data,
        metadata,
        kept_time or _server_time(record),
    )


def recorded_at(record: kdb.RecordedEvent) -> datetime:
    return to_stored(record).recorded_at


def _our_metadata(properties: dict[str, str]) -> bytes:
    document: dict[str, str | int] = {}
    for name, value in properties.items():
        ours = _OUR_NAMES.get(name, name)
        if ours == "schema_version":
            document[ours] = int(value)
        elif not ours.startswith("$") and ours != RECORDED_AT:
            document[ours] = value
    return msgspec.json.encode(document)


def _kept_time(properties: dict[str, str]) -> datetime | None:
    text = properties.get(RECORDED_AT)
    return datetime.fromisoformat(text) if text else None


def _server_time(record: kdb.RecordedEvent) -> datetime:
    # Every server since long before 25.1 says it; the client's type allows for those that did not.
    return record.recorded_at or datetime.fromtimestamp(0, UTC)
