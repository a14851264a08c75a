"""The types of events: what they are called, where they stand, what they look like, how many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, get_args

import msgspec

from service.domain.account import ACCOUNT, AccountEvent
from service.domain.decider import DomainEvent
from service.domain.errors import InvalidField
from service.domain.events import EVENT_TYPES
from service.domain.generation.events import GenerationEvent
from service.domain.generation.state import GENERATION
from service.domain.imports import IMPORTS, ImportsEvent
from service.ports.event_store import TypeTotals

CATEGORIES: Mapping[str, frozenset[str]] = {
    ACCOUNT.category: frozenset(each.__name__ for each in get_args(AccountEvent)),
    GENERATION.category: frozenset(each.__name__ for each in get_args(GenerationEvent)),
    IMPORTS.category: frozenset({ImportsEvent.__name__}),
}
"""The types of events in the streams of each category."""
TYPES: Collection[str] = EVENT_TYPES.keys()
_CATEGORY_OF = {name: category for category, names in CATEGORIES.items() for name in names}


class EventTypeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A type of events. ``json_schema`` describes today's stored form, the newest of ``versions``."""

    name: str
    category: str
    description: str
    versions: tuple[int, ...]
    json_schema: dict[str, Any]
    count: int
    first_at: datetime | None
    last_at: datetime | None


def describe(totals: Iterable[TypeTotals], schema_versions: Mapping[str, int]) -> list[EventTypeInfo]:
    """Every type that this program knows, in the order in which they are defined."""
    found = {each.type: each for each in totals}
    return [_describe(name, cls, found.get(name), schema_versions.get(name, 1)) for name, cls in EVENT_TYPES.items()]


def _describe(name: str, cls: type[DomainEvent], total: TypeTotals | None, version: int) -> EventTypeInfo:
    return EventTypeInfo(
        name=name,
        category=_CATEGORY_OF[name],
        description=" ".join((cls.__doc__ or "").replace("``", "").split()),
        versions=tuple(range(1, version + 1)),
        json_schema=msgspec.json.schema(cls),
        count=total.count if total else 0,
        first_at=total.first_at if total else None,
        last_at=total.last_at if total else None,
    )


def matching(types: Collection[str], categories: Collection[str]) -> frozenset[str] | None:
    """The types that both filters let pass, None for all; an empty filter lets everything pass."""
    if not types and not categories:
        return None
    wanted = frozenset(types or TYPES)
    return wanted & frozenset().union(*(CATEGORIES[each] for each in categories)) if categories else wanted


def check_known(field: str, given: Collection[str], known: Collection[str]) -> None:
    """Raises InvalidField that names the first unknown one and those there are."""
    if unknown := sorted(set(given) - set(known)):
        what = "an event type" if field == "types" else "a category of streams"
        raise InvalidField(field, f"{unknown[0]!r} is not {what}; there are: {', '.join(sorted(known))}")
