"""Given events, when a decision is taken, then events or a refusal: the domain's tests as sentences.

    given(granted(100)).when_account(lambda account: debit(account, ...)).then(debited(20))

One history serves both aggregates: each state is folded from all of it, and ``evolve`` leaves alone what does not
concern it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from service.domain.account import ACCOUNT, Account
from service.domain.decider import DomainEvent
from service.domain.errors import DomainError
from service.domain.generation.state import GENERATION, Generation

Decided = Sequence[DomainEvent] | DomainError


class Then:
    """What came of a decision."""

    def __init__(self, decided: Decided) -> None:
        self._decided = decided

    def then(self, *expected: DomainEvent) -> None:
        """Exactly these events, the account's before the generation's."""
        if isinstance(self._decided, DomainError):
            raise AssertionError(f"expected events, but it was refused: {self._decided}") from self._decided
        assert list(self._decided) == list(expected), f"expected {list(expected)}, got {list(self._decided)}"

    def then_nothing(self) -> None:
        """Nothing had to change."""
        self.then()

    def then_refused(self, error_type: type[DomainError], **facts: object) -> DomainError:
        """A refusal of exactly this type whose ``facts`` include these; returned for a closer look."""
        assert type(self._decided) is error_type, f"expected {error_type.__name__}, got {self._decided!r}"
        assert isinstance(self._decided, DomainError)
        assert {name: self._decided.facts.get(name) for name in facts} == facts
        return self._decided

    @property
    def events(self) -> list[DomainEvent]:
        """The events as such, for tests that look closer than equality."""
        if isinstance(self._decided, DomainError):
            raise AssertionError(f"expected events, but it was refused: {self._decided}") from self._decided
        return list(self._decided)


class Given:
    """What has happened before."""

    def __init__(self, events: Sequence[DomainEvent]) -> None:
        self.account: Account = ACCOUNT.fold(ACCOUNT.initial, events)
        self.generation: Generation = GENERATION.fold(GENERATION.initial, events)

    def when(self, decide: Callable[[Account, Generation], Sequence[Sequence[DomainEvent]]]) -> Then:
        """A decision that speaks for both streams."""
        return _outcome(lambda: list(chain.from_iterable(decide(self.account, self.generation))))

    def when_account(self, decide: Callable[[Account], Sequence[DomainEvent]]) -> Then:
        return _outcome(lambda: decide(self.account))

    def when_generation(self, decide: Callable[[Generation], Sequence[DomainEvent]]) -> Then:
        return _outcome(lambda: decide(self.generation))


def given(*events: DomainEvent) -> Given:
    return Given(events)


def _outcome(decide: Callable[[], Sequence[DomainEvent]]) -> Then:
    try:
        return Then(decide())
    except DomainError as error:
        return Then(error)
