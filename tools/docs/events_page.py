"""``docs/events.md``: from the event structs, the functions that make them, and the golden files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from service.adapters.eventstore.upcasters import UPCASTERS, current_versions
from service.domain.account import AccountEvent
from service.domain.events import EVENT_TYPES
from service.domain.generation.events import GenerationEvent
from service.domain.imports import ImportsEvent
from service.ports.event_store import Metadata
from tools.docs.fields import type_in_words
from tools.docs.markdown import GENERATED, code, fenced, page, prose, table
from tools.docs.source import attribute_docstrings, makers

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "service" / "domain"
GOLDEN = ROOT / "tests" / "golden" / "events"

INTRODUCTION = """
Everything that happens is one of these events. They are stored as JSON and never changed: in PostgreSQL in
`triptych.events`, each document in the column `data`; over the API in `HistoryService.ReplayEvents`. `type` names the
event. A field that has its default may be left out of a document. Times are UTC.

An account has the stream `account-{user_id}`, a generation with its items `generation-{generation_id}`, and what a
user had in an older gallery is listed in `imports-{user_id}`. Events that stand in one append are written together or
not at all, whatever crashes: that is how credits keep step with what they were taken or given back for.

`user_id`, `request_id` and `grant_id` are the caller's; `generation_id` is derived from the first two, and `item_id`
from it and the output's `index` (from 0). Credits are whole numbers. `actor` is the caller or the worker that did it,
`provider_request_id` the vendor's name for a request, `detail` for operators only. The examples show the form; their
values mean nothing.
"""

ORDER = """
```mermaid
stateDiagram-v2
    [*] --> requested: GenerationRequested
    requested --> requested: PromptModerated, PromptEnhanced
    requested --> submitting: SubmissionStarted
    submitting --> requested: SubmissionDeferred
    submitting --> submitted: GenerationSubmitted
    requested --> submitted: GenerationSubmitted (a webhook told)
    submitting --> submitting: CancellationRequested
    submitted --> submitted: CancellationRequested, CancellationRefused
    submitted --> succeeded: ImageProduced or VideoProduced, GenerationSucceeded
    requested --> failed: GenerationFailed
    submitting --> failed: GenerationFailed
    submitted --> failed: GenerationFailed
    requested --> cancelled: GenerationCancelled
    submitting --> cancelled: GenerationCancelled
    submitted --> cancelled: GenerationCancelled
    failed --> failed: LateReportReceived
    cancelled --> cancelled: LateReportReceived
    [*] --> succeeded: ItemImported
    succeeded --> succeeded: ItemFavorited, ItemUnfavorited, ItemTrashed, ItemRestored
```
"""


def events_page() -> str:
    made_by = makers(DOMAIN, set(EVENT_TYPES))
    account = [each.__name__ for each in get_args(AccountEvent)]
    generation = [each.__name__ for each in get_args(GenerationEvent)]
    return page(
        "# Events",
        GENERATED,
        INTRODUCTION,
        "## An account",
        *(part for name in account for part in _event(name, made_by[name])),
        "## A generation and its items",
        ORDER,
        *(part for name in generation for part in _event(name, made_by[name])),
        "## A user's imports",
        *_event(ImportsEvent.__name__, made_by[ImportsEvent.__name__]),
        "## Parts",
        *(part for struct in _parts() for part in (f"### {struct.__name__}", prose(struct.__doc__), _fields(struct))),
        "## Metadata",
        f"Stored beside each event. {prose(Metadata.__doc__)}",
        _fields(Metadata),
    )


def _event(name: str, made_by: list[str]) -> Iterator[str]:
    event = EVENT_TYPES[name]
    version = current_versions(UPCASTERS).get(name, 1)
    yield f"### {name}"
    yield prose(event.__doc__)
    decided = ", ".join(code(function) for function in made_by)
    yield f"Decided by {decided}." + (f" Stored form {version}." if version > 1 else "")
    yield _fields(event)
    yield fenced("json", json.dumps(_example(name, version), ensure_ascii=False, indent=2))


def _fields(struct: Any) -> str:
    docs = attribute_docstrings(struct)
    rows = (
        [code(field.name), type_in_words(field.type), _default(field), prose(docs.get(field.name))]
        for field in msgspec.structs.fields(struct)
    )
    return table(["field", "type", "default", "meaning"], rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT or field.default in ("", ()):
        return "empty"
    return code(json.dumps(field.default))


def _example(name: str, version: int) -> Any:
    """The fullest of the stored examples."""
    documents = json.loads((GOLDEN / f"{name}.v{version}.json").read_text("utf-8"))
    return max(documents, key=lambda document: len(json.dumps(document)))


def _parts() -> list[type[msgspec.Struct]]:
    """The structs that events are made of, in the order in which they are first met."""
    found: dict[type[msgspec.Struct], None] = {}
    for event in EVENT_TYPES.values():
        for field in msgspec.structs.fields(event):
            if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
                found[field.type] = None
    return list(found)
