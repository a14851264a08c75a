"""The fold that replays real history under other rules: through the domain's own decisions, another catalog in hand.

What users wanted and what the vendor delivered stays as it was; what is decided anew is what the service decides:
whether a request is accepted (the catalog, the balance), what it costs, and what comes back when it ends. Grants are
made again, and refunds by hand of whatever would have been left.

Memory grows with the number of accounts, and with what is in progress or would have been refused for want of credits,
not with the length of the log: what ended is forgotten. A refund by hand, which is rare, is told what its generation
cost; its events say so (``Simulation.paid``).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.application.owners import OwnedEvent
from service.application.simulation_totals import Comparison, Refusal
from service.domain import account as accounts
from service.domain.account import Account, Charge, CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.catalog import Catalog
from service.domain.errors import DomainError, InvalidField, NothingToRefund
from service.domain.generation import events as e
from service.domain.generation import request as requests
from service.domain.generation.state import GENERATION
from service.domain.persistent import PersistentMap
from service.domain.refund_rules import RefundRule

TYPES = frozenset(
    {
        "CreditsGranted",
        "CreditsDebited",
        "CreditsRefunded",
        "GenerationRequested",
        "GenerationSucceeded",
        "GenerationFailed",
        "GenerationCancelled",
    }
)
"""The events that it needs."""


class Rules(msgspec.Struct, frozen=True):
    """What is to be other than it was."""

    catalog: Catalog
    refund_rule: RefundRule


class Paid(msgspec.Struct, frozen=True):
    """A generation that was accepted in the simulation. In credits."""

    credits_per_output: int
    output_count: int
    refunded: int = 0

    @property
    def charge(self) -> Charge:
        return Charge(debited=self.credits_per_output * self.output_count, refunded=self.refunded)


class Simulation:
    """The fold: each event changes ``comparison`` and the simulated accounts, and nothing else."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.comparison = Comparison()
        self.balances: dict[str, int] = {}
        self._running: dict[str, Paid] = {}
        self._short_of_credits: set[str] = set()

    def apply(self, owned: OwnedEvent) -> None:
        """Everything but refunds by hand."""
        owner = owned.owner
        match owned.recorded.event:
            case CreditsGranted() as event:
                self.comparison.credits_granted += event.credits
                self._move(event.user_id, event.credits)
            case CreditsDebited() as event:
                for each in self.comparison.of(event.user_id, owner.generation_type):
                    each.actual.accepted += 1
                    each.actual.credits_taken += event.credits
            case CreditsRefunded() as event:
                for each in self.comparison.of(event.user_id, owner.generation_type):
                    each.actual.credits_refunded += event.credits
            case e.GenerationRequested() as event:
                self._request(event)
            case e.GenerationSucceeded() as event:
                self._end(event.generation_id, owned, event.delivered_count, "undelivered")
            case e.GenerationFailed() as event:
                self._end(event.generation_id, owned, 0, "failed")
            case e.GenerationCancelled() as event:
                self._end(event.generation_id, owned, 0, "cancelled")

    def refund_by_hand(self, owned: OwnedEvent, event: CreditsRefunded, paid: Paid) -> None:
        """Support gives back what would have been left of ``paid``."""
        state = self._account(event.user_id, event.generation_id, paid)
        try:
            refunds = accounts.refund_by_hand(
                state,
                user_id=event.user_id,
                generation_id=event.generation_id,
                note=event.note,
                actor=event.actor,
                now=event.refunded_at or owned.recorded.recorded_at,
            )
        except NothingToRefund:
            return
        self._refund(event.user_id, owned.owner.generation_type, refunds)

    def paid(self, generation_id: str, events: Sequence[e.GenerationEvent]) -> Paid | None:
        """What a generation would have cost and given back, from its events; None if it was not accepted."""
        if generation_id in self._short_of_credits:
            return None
        paid = None
        for event in events:
            match event:
                case e.GenerationRequested():
                    try:
                        decided = self._decide(event, balance=None)
                    except InvalidField:
                        return None
                    paid = Paid(decided.credits_per_output, decided.output_count)
                case e.GenerationSucceeded() if paid is not None:
                    paid = msgspec.structs.replace(paid, refunded=self._due(paid, event.delivered_count))
                case e.GenerationFailed() | e.GenerationCancelled() if paid is not None:
                    paid = msgspec.structs.replace(paid, refunded=self._due(paid, 0))
        return paid

    def _request(self, event: e.GenerationRequested) -> None:
        balance = self.balances.get(event.user_id, 0)
        counted = self.comparison.of(event.user_id, event.asked.generation_type)
        try:
            decided = self._decide(event, balance)
        except DomainError as refusal:
            field = refusal.field if isinstance(refusal, InvalidField) else ""
            self.comparison.refusals[Refusal(event.asked.generation_type, refusal.reason, field)] += 1
            if not field:
                self._short_of_credits.add(event.generation_id)
            for each in counted:
                each.refused += 1
            return
        paid = self._running[event.generation_id] = Paid(decided.credits_per_output, decided.output_count)
        self._move(event.user_id, -paid.charge.debited)
        for each in counted:
            each.simulated.accepted += 1
            each.simulated.credits_taken += paid.charge.debited

    def _decide(self, event: e.GenerationRequested, balance: int | None) -> e.GenerationRequested:
        """The domain's decision on the same request. Without a balance, for one that was accepted before."""
        facts = requests.RequestFacts(
            generation_id=event.generation_id,
            user_id=event.user_id,
            request_id=event.request_id,
            asked=event.asked,
            catalog=self.rules.catalog,
            reference_found=True,
            now=event.requested_at,
        )
        enough = 2**62 if balance is None else balance
        decided = requests.request(Account(event.user_id, enough), GENERATION.initial, facts)
        (requested,) = (each for each in decided.generation if isinstance(each, e.GenerationRequested))
        return requested

    def _end(self, generation_id: str, owned: OwnedEvent, delivered_count: int, cause: accounts.RefundCause) -> None:
        paid = self._running.pop(generation_id, None)
        if paid is None:
            return
        user_id, generation_type = owned.owner
        refunds = accounts.refund(
            self._account(user_id, generation_id, paid),
            user_id=user_id,
            generation_id=generation_id,
            credits=self._due(paid, delivered_count),
            cause=cause,
        )
        self._refund(user_id, generation_type, refunds)

    def _due(self, paid: Paid, delivered_count: int) -> int:
        return self.rules.refund_rule(
            credits_per_output=paid.credits_per_output,
            asked_count=paid.output_count,
            delivered_count=delivered_count,
        )

    def _account(self, user_id: str, generation_id: str, paid: Paid) -> Account:
        charges = PersistentMap[Charge]().set(generation_id, paid.charge)
        return Account(user_id, self.balances.get(user_id, 0), charges)

    def _refund(self, user_id: str, generation_type: str, refunds: Sequence[accounts.AccountEvent]) -> None:
        for refund in refunds:
            self._move(user_id, refund.credits)
            for each in self.comparison.of(user_id, generation_type):
                each.simulated.credits_refunded += refund.credits

    def _move(self, user_id: str, credits: int) -> None:
        self.balances[user_id] = self.balances.get(user_id, 0) + credits
