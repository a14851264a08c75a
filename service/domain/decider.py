"""What every aggregate is: an initial state and a total, silent ``evolve``.

Decisions are plain functions ``(state, facts) -> events``; they alone refuse. The shape follows Jérémie
Chassaing's "Functional Event Sourcing Decider".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

import msgspec

S = TypeVar("S")


class DomainEvent(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, kw_only=True):
    """Base of everything that is stored. Tags (class names) and field names are stored data: they never
    change. A new field gets a default, so that old events can still be read."""


@dataclass(frozen=True, slots=True)
class Decider(Generic[S]):
    """An aggregate's category (the first part of its streams' names), initial state and evolve."""

    category: str
    initial: S
    evolve: Callable[[S, DomainEvent], S]

    def fold(self, state: S, events: Iterable[DomainEvent]) -> S:
        return reduce(self.evolve, events, state)
