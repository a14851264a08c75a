"""What a setting may be, in words: for the sentence that refuses a wrong value, and for the page of all settings."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo


def expected(field: FieldInfo) -> str:
    """Such as ``a whole number from 0 to 65535``; it follows on the words "must be"."""
    kind = _without_none(field.annotation)
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(get_args(kind))}"
    if get_origin(kind) is frozenset:
        return f"any of these, separated by commas: {', '.join(get_args(get_args(kind)[0]))}"
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        return f"{'a whole number' if kind is int else 'a number'}{_bounds(field)}"
    return "a path" if kind is Path else "text"


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is types.UnionType:
        return next(each for each in get_args(annotation) if each is not types.NoneType)
    return annotation


def _bounds(field: FieldInfo) -> str:
    """Every number has both: settings are checked to be bounded by a test."""
    rules = {name: value for rule in field.metadata for name, value in _rule(rule)}
    low = f" from {rules['ge']}" if "ge" in rules else f" above {rules['gt']}" if "gt" in rules else ""
    high = rules.get("le")
    if high is None:
        return low
    return f"{low} to {high}" if "ge" in rules else f"{low} and at most {high}"


def _rule(rule: object) -> list[tuple[str, Any]]:
    return [(name, getattr(rule, name)) for name in ("ge", "gt", "le") if hasattr(rule, name)]
