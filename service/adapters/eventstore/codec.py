"""Events to JSON and back, the same for every store.

Stored is a document with its ``type`` tag (so that it speaks for itself in SQL) and a document of metadata.
The schema version stands in the metadata, left out when it is 1. Reading upcasts older versions; a version that
is newer than this program, or a type that it does not know, is an UnreadableEvent and never a guess.

PostgreSQL's jsonb holds neither U+0000 nor lone surrogates. Both can arrive in a user's words, and an event that
can never be appended would be tried for ever; so each is replaced by U+FFFD, the character that Unicode has for
it. The common case pays for this with one substring search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from service.adapters.eventstore.upcasters import UPCASTERS, Upcasters, current_versions, upcast
from service.domain.decider import DomainEvent
from service.domain.events import EVENT_TYPES
from service.ports.event_store import Metadata, NewEvent, RecordedEvent, UnreadableEvent

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class EncodedEvent(NamedTuple):
    """What is stored of a new event: its type's name and two JSON documents, UTF-8."""

    event_id: UUID
    type: str
    data: bytes
    metadata: bytes


class StoredEvent(NamedTuple):
    """A row of the log as it was read: ``data`` and ``metadata`` are JSON, str or UTF-8."""

    position: int
    stream: str
    version: int
    event_id: UUID
    type: str
    data: str | bytes
    metadata: str | bytes
    recorded_at: datetime


class Decoded(NamedTuple):
    """The events up to the first unreadable one, and that one."""

    events: tuple[RecordedEvent, ...]
    unreadable: UnreadableEvent | None


class EventCodec:
    def __init__(
        self, types: Mapping[str, type[DomainEvent]] = EVENT_TYPES, upcasters: Upcasters = UPCASTERS
    ) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            name: msgspec.json.Decoder(cls) for name, cls in types.items()
        }
        self._types = types
        self._upcasters = upcasters
        self._versions = current_versions(upcasters)
        self._metadata = msgspec.json.Decoder(Metadata)

    def encode(self, new: NewEvent) -> EncodedEvent:
        name = type(new.event).__name__
        metadata = new.metadata
        version = self._versions.get(name, 1)
        if metadata.schema_version != version:
            metadata = msgspec.structs.replace(metadata, schema_version=version)
        return EncodedEvent(new.event_id, name, _to_json(new.event), _to_json(metadata))

    def decode(self, stored: StoredEvent) -> RecordedEvent:
        """Today's form of a stored event. Raises UnreadableEvent, which says where it stands and why."""
        try:
            metadata = self._metadata.decode(stored.metadata)
            event = self._decode_data(stored.type, stored.data, metadata.schema_version)
        except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise UnreadableEvent(stored.position, stored.stream, stored.version, why) from error
        return RecordedEvent(
            stored.position,
            stored.stream,
            stored.version,
            stored.event_id,
            event,
            metadata,
            stored.recorded_at,
        )

    def decode_all(self, rows: Iterable[StoredEvent]) -> Decoded:
        """Decodes up to the first unreadable event, so that what stands before it can still be delivered."""
        events: list[RecordedEvent] = []
        for row in rows:
            try:
                events.append(self.decode(row))
            except UnreadableEvent as unreadable:
                return Decoded(tuple(events), unreadable)
        return Decoded(tuple(events), None)

    def _decode_data(self, name: str, data: str | bytes, version: int) -> Any:
        if (name, version) in self._upcasters:
            document = upcast(msgspec.json.decode(data), version, self._upcasters)
            return msgspec.convert(document, self._known_type(document["type"]))
        known = self._versions.get(name, 1)
        if version != known:
            raise ValueError(f"it is {name} of schema version {version}; this program reads up to version {known}")
        decoder = self._decoders.get(name)
        return decoder.decode(data) if decoder is not None else self._known_type(name)

    def _known_type(self, name: str) -> type[DomainEvent]:
        if (cls := self._types.get(name)) is None:
            raise ValueError(f"this program knows no event type {name!r}")
        return cls


def _to_json(value: msgspec.Struct) -> bytes:
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return msgspec.json.encode(_storable(msgspec.to_builtins(value)))
    # The six characters may also be a backslash followed by harmless text; the slow path tells them apart.
    if b"\\u0000" in encoded:
        return msgspec.json.encode(_storable(msgspec.to_builtins(value)))
    return encoded


def _storable(value: Any) -> Any:
    match value:
        case str():
            return _UNSTORABLE.sub(_REPLACEMENT, value)
        case dict():
            return {_storable(key): _storable(each) for key, each in value.items()}
        case list() | tuple():
            return [_storable(each) for each in value]
    return value
