"""The codec: documents, versions, and what it does with what it cannot read."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from service.adapters.eventstore.codec import EventCodec, StoredEvent
from service.adapters.eventstore.upcasters import Document, Upcasters, current_versions
from service.domain.account import CreditsDebited, CreditsGranted
from service.domain.decider import DomainEvent
from service.domain.events import EVENT_TYPES
from service.ports.event_store import Metadata, NewEvent, UnreadableEvent

EVENT = CreditsDebited(user_id="u", generation_id="g", credits=5)


def _stored(name: str, data: object, **metadata: object) -> StoredEvent:
    return StoredEvent(
        7,
        "account-u",
        3,
        uuid.uuid4(),
        name,
        data if isinstance(data, bytes) else msgspec.json.encode(data),
        msgspec.json.encode(metadata),
        datetime.now(UTC),
    )


def _rename_amount(document: Document) -> Document:
    return {**{key: value for key, value in document.items() if key != "amount"}, "credits": document["amount"]}


def _rename_type(document: Document) -> Document:
    return {**document, "type": "CreditsDebited"}


def _in_cents(document: Document) -> Document:
    return {**document, "amount": document["amount"] // 100}


UPCASTERS: Upcasters = {
    ("CreditsDebited", 1): _in_cents,
    ("CreditsDebited", 2): _rename_amount,
    ("CreditsTaken", 2): _rename_type,
}


def test_the_document_names_its_type_and_leaves_defaults_out() -> None:
    encoded = EventCodec().encode(NewEvent(uuid.uuid4(), EVENT, Metadata(actor="bot")))
    assert encoded.type == "CreditsDebited"
    assert msgspec.json.decode(encoded.data) == {
        "type": "CreditsDebited",
        "user_id": "u",
        "generation_id": "g",
        "credits": 5,
    }
    assert msgspec.json.decode(encoded.metadata) == {"actor": "bot"}


def test_new_fields_and_the_order_of_fields_do_not_matter() -> None:
    document = {"later": 1, "credits": 5, "generation_id": "g", "user_id": "u", "type": "CreditsDebited"}
    recorded = EventCodec().decode(_stored("CreditsDebited", document))
    assert recorded.event == EVENT
    assert (recorded.position, recorded.stream, recorded.version) == (7, "account-u", 3)


def test_the_version_that_is_written_follows_from_the_upcasters() -> None:
    assert current_versions(UPCASTERS) == {"CreditsDebited": 3, "CreditsTaken": 3}
    encoded = EventCodec(upcasters=UPCASTERS).encode(NewEvent(uuid.uuid4(), EVENT))
    assert msgspec.json.decode(encoded.metadata) == {"schema_version": 3}


@pytest.mark.parametrize(
    ("name", "version", "fields"),
    [
        ("CreditsDebited", 1, {"amount": 500}),
        ("CreditsDebited", 2, {"amount": 5}),
        ("CreditsDebited", 3, {"credits": 5}),
        ("CreditsTaken", 2, {"credits": 5}),
    ],
)
def test_older_versions_are_read_as_todays(name: str, version: int, fields: dict[str, Any]) -> None:
    metadata = {} if version == 1 else {"schema_version": version}
    document = {"type": name, "user_id": "u", "generation_id": "g", **fields}
    recorded = EventCodec(upcasters=UPCASTERS).decode(_stored(name, document, **metadata))
    assert recorded.event == EVENT
    assert recorded.metadata.schema_version == version


GOOD = {"type": "CreditsDebited", "user_id": "u", "generation_id": "g", "credits": 5}


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (_stored("CreditsLost", {"type": "CreditsLost"}), "knows no event type 'CreditsLost'"),
        (_stored("CreditsDebited", GOOD, schema_version=2), "reads up to version 1"),
        (_stored("CreditsDebited", {**GOOD, "credits": "5"}), "credits"),
        (_stored("CreditsDebited", {"type": "CreditsDebited"}), "missing required field `user_id`"),
        (_stored("CreditsDebited", {**GOOD, "type": "CreditsGranted"}), "CreditsGranted"),
        (_stored("CreditsDebited", b'{"type'), "truncated"),
        (_stored("CreditsDebited", b"\xff"), "JSON"),
        (_stored("CreditsDebited", GOOD, actor=5), "actor"),
    ],
)
def test_what_cannot_be_read_says_where_it_stands_and_why(stored: StoredEvent, why: str) -> None:
    with pytest.raises(UnreadableEvent, match=r"position 7 \(account-u, version 3\)") as unreadable:
        EventCodec().decode(stored)
    assert why in str(unreadable.value)


def test_an_upcaster_that_fails_makes_its_event_unreadable() -> None:
    document = {"type": "CreditsDebited", "user_id": "u", "generation_id": "g"}
    with pytest.raises(UnreadableEvent, match="amount"):
        EventCodec(upcasters=UPCASTERS).decode(_stored("CreditsDebited", document))


def test_decoding_many_ends_at_the_first_unreadable_one() -> None:
    rows = [_stored("CreditsDebited", GOOD), _stored("CreditsLost", {}), _stored("CreditsDebited", GOOD)]
    decoded = EventCodec().decode_all(rows)
    assert [each.event for each in decoded.events] == [EVENT]
    assert decoded.unreadable is not None


def test_types_are_stored_under_their_class_names() -> None:
    for name, cls in EVENT_TYPES.items():
        assert issubclass(cls, DomainEvent)
        assert cls.__struct_config__.tag == name
        assert cls.__struct_config__.tag_field == "type"


def test_text_without_unstorable_characters_is_untouched() -> None:
    note = "\\u0000 \\ud83d 🐈 \t"
    new = NewEvent(uuid.uuid4(), CreditsGranted(user_id="u", grant_id="g", credits=1, note=note))
    assert msgspec.json.decode(EventCodec().encode(new).data)["note"] == note
