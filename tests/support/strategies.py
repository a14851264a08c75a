"""Strategies for the events, made from their own fields: a new event type is covered without a word here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from service.domain.decider import DomainEvent
from service.domain.events import EVENT_TYPES

_FEW_IDS = st.sampled_from(["a", "b", "c"])
_AMOUNTS = st.integers(min_value=-5, max_value=50)


def _field(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    """Few different ids, so that events concern one another; otherwise anything of the type."""
    if annotation is str and name.endswith("_id"):
        return _FEW_IDS
    if annotation is str:
        return st.text(max_size=5)
    if annotation is int:
        return _AMOUNTS
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return struct(annotation)
    if datetime in (annotation, *get_args(annotation)):
        moments = st.datetimes(timezones=st.just(UTC))
        return moments if annotation is datetime else st.none() | moments
    return st.from_type(annotation)


def struct(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Arbitrary instances of a struct."""
    return st.builds(cls, **{field.name: _field(field.name, field.type) for field in msgspec.structs.fields(cls)})


def events() -> st.SearchStrategy[DomainEvent]:
    """Arbitrary events of every type in the log."""
    return st.one_of([struct(event_type) for event_type in EVENT_TYPES.values()])
