"""The columns of the flat table ``events``: one row an event, the same in exports and in SQL.

They are described in ``docs/analysts.md``, which a test compares with this list. What an event does not have is NULL
(the contract's empty text, too). ``data`` is the whole payload, so nothing is lost by flattening.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from clients.history.libraries import library
from clients.sdk import Event

Kind = Literal["integer", "text", "time", "json"]

_EFFECTS: Mapping[str, int] = {"CreditsGranted": 1, "CreditsDebited": -1, "CreditsRefunded": 1}


class Column(NamedTuple):
    """A column, and how its value is got from an event."""

    name: str
    kind: Kind
    meaning: str
    value: Callable[[Event], Any]


def _field(name: str, *types: str) -> Callable[[Event], Any]:
    """A field of the payload; of these types of events only, if any are named."""

    def value(event: Event) -> Any:
        if types and event.type not in types:
            return None
        found = event.payload.get(name)
        return None if found == "" else found

    return value


def _balance_effect(event: Event) -> int | None:
    sign = _EFFECTS.get(event.type)
    return None if sign is None else sign * int(event.payload["credits"])


# A payload is plain values already, but for times; to walk through it with ``to_dict`` first would take longer.
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=datetime.isoformat)


def _data(event: Event) -> str:
    return _ENCODER.encode(event.payload)


COLUMNS: tuple[Column, ...] = (
    Column("position", "integer", "its place in the log; grows, may have gaps", lambda event: event.position),
    Column("time", "time", "when it was recorded, UTC", lambda event: event.record_time),
    Column("type", "text", "the event's type, such as `GenerationFailed`", lambda event: event.type),
    Column("stream", "text", "the stream it belongs to", lambda event: event.stream),
    Column("category", "text", "`account`, `generation` or `imports`", lambda event: event.stream.partition("-")[0]),
    Column("version", "integer", "its place in the stream, from 1", lambda event: event.version),
    Column("user_id", "text", "whose it is, of every event", lambda event: event.user_id or None),
    Column("generation_id", "text", "the generation it is about", lambda event: event.generation_id or None),
    Column(
        "generation_type",
        "text",
        "`imagen4`, `avatar`, `video`; also of debits and refunds",
        lambda event: event.generation_type or None,
    ),
    Column("model", "text", "the vendor's model; of `GenerationRequested`", _field("model", "GenerationRequested")),
    Column("credits", "integer", "credits moved, never negative; of `Credits...`", _field("credits")),
    Column("balance_effect", "integer", "the same, signed: a debit is negative", _balance_effect),
    Column(
        "credits_per_output", "integer", "price of one output; of `GenerationRequested`", _field("credits_per_output")
    ),
    Column("output_count", "integer", "outputs asked for; of `GenerationRequested`", _field("output_count")),
    Column("delivered_count", "integer", "outputs delivered; of `GenerationSucceeded`", _field("delivered_count")),
    Column(
        "failure_reason",
        "text",
        "why it failed; of `GenerationFailed` and the refund with it",
        _field("failure_reason"),
    ),
    Column("cause", "text", "why credits came back; of `CreditsRefunded`", _field("cause")),
    Column("item_id", "text", "the item of the gallery; of `...Produced` and `Item...`", _field("item_id")),
    Column("actor", "text", "the caller or worker that caused it", lambda event: event.actor or None),
    Column("correlation_id", "text", "the business transaction", lambda event: event.correlation_id or None),
    Column("causation_id", "text", "the command or event that led to it", lambda event: event.causation_id or None),
    Column("event_id", "text", "its identity, a UUID", lambda event: event.event_id),
    Column(
        "data",
        "json",
        "all fields of the event, as in `events.proto`",
        _data,
    ),
)
NAMES = tuple(column.name for column in COLUMNS)


def schema() -> Any:
    """The table's ``pyarrow.Schema``. Raises LibraryMissing."""
    pa = library("pyarrow")
    kinds = {"integer": pa.int64(), "text": pa.string(), "time": pa.timestamp("us", "UTC"), "json": pa.string()}
    return pa.schema([(column.name, kinds[column.kind]) for column in COLUMNS])


def record_batch(events: Iterable[Event], arrow_schema: Any) -> Any:
    """Events as a ``pyarrow.RecordBatch`` of ``schema()``."""
    pa = library("pyarrow")
    events = list(events)
    arrays = [
        pa.array([column.value(event) for event in events], field.type)
        for column, field in zip(COLUMNS, arrow_schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema)


def json_line(event: Event) -> str:
    """An event as a JSON object with the table's columns; ``data`` is an object in it, not text."""
    row = {column.name: column.value(event) for column in COLUMNS[:-1]}
    return _ENCODER.encode(row | {"data": event.payload})
