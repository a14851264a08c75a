"""What a simulation of history counts, as it happened and as it would have: totals, by type, by user, refusals."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class Totals:
    """Credits are whole and never negative."""

    accepted: int = 0
    """Requests that were paid for."""
    credits_taken: int = 0
    credits_refunded: int = 0

    @property
    def kept(self) -> int:
        """What was earned: taken and not given back."""
        return self.credits_taken - self.credits_refunded

    def add(self, other: Totals) -> None:
        self.accepted += other.accepted
        self.credits_taken += other.credits_taken
        self.credits_refunded += other.credits_refunded


@dataclass(slots=True)
class Compared:
    """The same thing twice: ``actual`` as the log has it, ``simulated`` under the other prices and rules."""

    actual: Totals = field(default_factory=Totals)
    simulated: Totals = field(default_factory=Totals)
    refused: int = 0
    """Requests that were accepted and would not have been."""

    @property
    def difference(self) -> int:
        """Credits that would have been kept beyond those that were."""
        return self.simulated.kept - self.actual.kept

    @property
    def differs(self) -> bool:
        return self.refused > 0 or self.actual != self.simulated

    def add(self, other: Compared) -> None:
        self.actual.add(other.actual)
        self.simulated.add(other.simulated)
        self.refused += other.refused


class Refusal(NamedTuple):
    """Why requests would have been refused. ``field`` is the request's, where one is wrong."""

    generation_type: str
    reason: str
    field: str


@dataclass(slots=True)
class Comparison:
    """Of everything up to ``position``."""

    position: int = 0
    credits_granted: int = 0
    by_type: defaultdict[str, Compared] = field(default_factory=lambda: defaultdict(Compared))
    by_user: defaultdict[str, Compared] = field(default_factory=lambda: defaultdict(Compared))
    refusals: Counter[Refusal] = field(default_factory=Counter)

    def of(self, user_id: str, generation_type: str) -> tuple[Compared, Compared]:
        """Where something of a user and of a type is counted."""
        return self.by_type[generation_type], self.by_user[user_id]

    def total(self) -> Compared:
        """All types together."""
        total = Compared()
        for each in self.by_type.values():
            total.add(each)
        return total

    def affected_users(self) -> list[tuple[str, Compared]]:
        """Users for whom something differs, those with most credits first."""
        differing = [(user, each) for user, each in self.by_user.items() if each.differs]
        return sorted(differing, key=lambda pair: (-abs(pair[1].difference), -pair[1].refused, pair[0]))
