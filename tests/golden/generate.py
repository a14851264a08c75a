"""Writes the golden files that are missing: ``make golden``, or ``python -m tests.golden.generate``.

``events/<Type>.v<version>.json`` is a list of documents as they are stored. What stands there is history: it is
never changed, only added to. So for a new event type or version a file is made; where today's examples show
something that no stored one does (a new field, a new value of a literal), they are added at the end.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from service.adapters.eventstore.upcasters import UPCASTERS, current_versions
from service.domain.events import EVENT_TYPES
from tests.golden.examples import documents_of

FOLDER = Path(__file__).with_name("events")

Document = dict[str, Any]


def golden_file(name: str, version: int) -> Path:
    return FOLDER / f"{name}.v{version}.json"


def read(path: Path) -> list[Document]:
    documents: list[Document] = json.loads(path.read_text("utf-8"))
    return documents


def shape(value: object) -> object:
    """What a document shows: its fields and their types, and short words (literals) themselves."""
    if isinstance(value, dict):
        return tuple(sorted((key, shape(each)) for key, each in value.items()))
    if isinstance(value, list):
        return tuple(sorted({repr(shape(each)) for each in value}))
    if isinstance(value, str):
        return value if value.isidentifier() else "text"
    return type(value).__name__


def missing_examples(name: str) -> list[Document]:
    """Today's examples of a type whose shape no stored one of its present version has."""
    path = golden_file(name, current_versions(UPCASTERS).get(name, 1))
    known = [shape(each) for each in read(path)] if path.exists() else []
    return [each for each in documents_of(EVENT_TYPES[name]) if shape(each) not in known]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    versions = current_versions(UPCASTERS)
    for name in EVENT_TYPES:
        if not (missing := missing_examples(name)):
            continue
        path = golden_file(name, versions.get(name, 1))
        documents = (read(path) if path.exists() else []) + missing
        path.write_text(json.dumps(documents, ensure_ascii=False, indent=2) + "\n", "utf-8")
        sys.stdout.write(f"{path.name}: {len(missing)} added\n")


if __name__ == "__main__":
    main()
