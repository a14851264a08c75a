"""The types of struct fields, as a reader of JSON or TOML would call them."""

from __future__ import annotations

import types
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time (RFC 3339)",
    types.NoneType: "null",
}


def type_in_words(kind: Any) -> str:
    """Such as ``list of text``, or ``one of `a`, `b```; a struct is named and described elsewhere."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if origin is Literal:
        return f"one of {', '.join(f'`{value}`' if value else 'empty' for value in arguments)}"
    if origin in (types.UnionType, Union):
        return " or ".join(type_in_words(each) for each in arguments)
    if origin in (tuple, list):
        return f"list of {type_in_words(arguments[0])}"
    if origin is dict:
        return "table of " + type_in_words(arguments[1])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind.__name__
    raise TypeError(f"there are no words for {kind!r} yet; add them to {__name__}")
