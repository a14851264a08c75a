"""Example events, made from the types' own descriptions.

For each type: one example with every field filled (as many as it takes to show each value of its literals),
and one with nothing but what is required. The values are fixed, so that today's examples are always the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import inspect

from service.domain.decider import DomainEvent

_MOMENT = datetime(2026, 11, 25, 12, 30, 45, 123456, tzinfo=UTC)


def examples_of(cls: type[DomainEvent]) -> list[DomainEvent]:
    described = inspect.type_info(cls)
    assert isinstance(described, inspect.StructType)
    count = max([1, *(_variants(field.type) for field in described.fields)])
    full = [_struct(described, variant, minimal=False) for variant in range(count)]
    minimal = _struct(described, 0, minimal=True)
    return [each for each in [*full, *([minimal] if minimal not in full else [])] if isinstance(each, DomainEvent)]


def _struct(described: inspect.StructType, variant: int, *, minimal: bool) -> Any:
    fields = [each for each in described.fields if each.required or not minimal]
    values = {each.name: _value(each.name, each.type, variant, minimal=minimal) for each in fields}
    return described.cls(**values)


def _value(name: str, kind: inspect.Type, variant: int, *, minimal: bool) -> Any:
    match kind:
        case inspect.StrType():
            return f"{name} «Ж» {variant}" if name in ("prompt", "note", "detail") else f"{name}-{variant}"
        case inspect.BoolType():
            return variant % 2 == 0
        case inspect.IntType():
            return 1 + variant + len(name)
        case inspect.FloatType():
            return 1.5 + variant
        case inspect.DateTimeType():
            return _MOMENT + timedelta(seconds=len(name))
        case inspect.LiteralType():
            return kind.values[variant % len(kind.values)]
        case inspect.VarTupleType():
            return tuple(_value(f"{name}-{n}", kind.item_type, variant, minimal=minimal) for n in range(2))
        case inspect.UnionType():
            return _value(
                name,
                next(each for each in kind.types if not isinstance(each, inspect.NoneType)),
                variant,
                minimal=minimal,
            )
        case inspect.StructType():
            return _struct(kind, variant, minimal=minimal)
    raise TypeError(f"no example is known for a field of {kind!r}; add one here")


def _variants(kind: inspect.Type) -> int:
    match kind:
        case inspect.LiteralType():
            return len(kind.values)
        case inspect.BoolType():
            return 2
        case inspect.UnionType():
            return max(_variants(each) for each in kind.types)
        case inspect.StructType():
            return max(_variants(field.type) for field in kind.fields)
    return 1


def documents_of(cls: type[DomainEvent]) -> list[dict[str, Any]]:
    """The examples as they are stored."""
    return [msgspec.json.decode(msgspec.json.encode(each)) for each in examples_of(cls)]
