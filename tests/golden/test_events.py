"""Whatever was stored can still be read, and is still written the same way."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from service.adapters.eventstore.codec import EventCodec, StoredEvent
from service.adapters.eventstore.upcasters import UPCASTERS, current_versions
from service.domain.events import EVENT_TYPES
from service.ports.event_store import Metadata, NewEvent
from tests.golden.generate import FOLDER, golden_file, missing_examples, read

CODEC = EventCodec()
VERSIONS = current_versions(UPCASTERS)
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_and_version_has_its_file(name: str) -> None:
    for version in range(1, VERSIONS.get(name, 1) + 1):
        path = golden_file(name, version)
        if not path.exists() and version < VERSIONS.get(name, 1):
            # A type that took over from a renamed one begins at a later version.
            continue
        assert path.exists(), f"{path.name} is missing; run 'make golden' and commit it"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_and_literal_is_shown(name: str) -> None:
    missing = missing_examples(name)
    assert not missing, f"no golden example of {name} looks like {missing[0]}; run 'make golden' and commit it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_stored_events_are_read_and_written_as_ever(path: Path) -> None:
    name, _, version = path.stem.rpartition(".v")
    for document in read(path):
        metadata = msgspec.json.encode(Metadata(schema_version=int(version)))
        stored = StoredEvent(
            1, "s-1", 1, uuid.uuid4(), name, msgspec.json.encode(document), metadata, datetime.now(UTC)
        )
        recorded = CODEC.decode(stored)
        if int(version) == VERSIONS.get(name, 1) and name in EVENT_TYPES:
            again = CODEC.encode(NewEvent(uuid.uuid4(), recorded.event))
            assert msgspec.json.decode(again.data) == document
            assert msgspec.json.decode(again.metadata, type=Metadata).schema_version == int(version)
