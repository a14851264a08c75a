"""An account: one user's credits.

Invariants: the balance is never negative; for each generation 0 <= refunded <= debited; a grant id counts once.
All amounts are whole credits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from service.domain.decider import Decider, DomainEvent
from service.domain.errors import (
    AlreadyExists,
    AlreadyRefunded,
    InsufficientCredits,
    InvalidField,
    NotFound,
    NothingToRefund,
)
from service.domain.ids import account_stream
from service.domain.persistent import PersistentMap

__all__ = ["ACCOUNT", "Account", "account_stream"]

MAX_GRANT_CREDITS = 1_000_000
MAX_NOTE_LENGTH = 500


# Events: names and fields are stored data and never change.


class CreditsGranted(DomainEvent, frozen=True):
    """Credits were given to the user: a purchase, a gift, a correction."""

    user_id: str
    grant_id: str
    credits: int
    note: str = ""
    actor: str = ""


class CreditsDebited(DomainEvent, frozen=True):
    """A generation was paid for. Stands in one append with its GenerationRequested."""

    user_id: str
    generation_id: str
    credits: int


RefundCause = Literal["failed", "cancelled", "undelivered", "manual"]


class CreditsRefunded(DomainEvent, frozen=True):
    """Credits of a generation came back. Unless the cause is ``manual``, it stands in one append with the
    generation's end: ``failed``, ``cancelled``, or ``undelivered`` when some of its outputs did not come."""

    user_id: str
    generation_id: str
    credits: int
    cause: RefundCause
    failure_reason: str = ""
    """Of a failed generation: its FailureReason."""
    actor: str = ""
    note: str = ""
    refunded_at: datetime | None = None
    """UTC; of a manual refund: when it was decided."""


AccountEvent = CreditsGranted | CreditsDebited | CreditsRefunded


# State: shares no types with the events.


class Charge(msgspec.Struct, frozen=True):
    """What one generation cost and what of it came back."""

    debited: int = 0
    refunded: int = 0
    manual_by: str = ""
    manual_note: str = ""
    manual_at: datetime | None = None

    @property
    def left(self) -> int:
        return self.debited - self.refunded


class Grant(msgspec.Struct, frozen=True):
    credits: int
    note: str


class Account(msgspec.Struct, frozen=True):
    user_id: str = ""
    balance: int = 0
    charges: PersistentMap[Charge] = PersistentMap()
    grants: PersistentMap[Grant] = PersistentMap()
    granted: int = 0
    """Of all grants; kept, as the next two are, because adding up a long account's would take longer every time."""
    debited: int = 0
    refunded: int = 0


def evolve(state: Account, event: DomainEvent) -> Account:
    match event:
        case CreditsGranted():
            return msgspec.structs.replace(
                state,
                user_id=event.user_id,
                balance=state.balance + event.credits,
                granted=state.granted + event.credits,
                grants=state.grants.set(event.grant_id, Grant(event.credits, event.note)),
            )
        case CreditsDebited():
            charge = state.charges.get(event.generation_id, Charge())
            charge = msgspec.structs.replace(charge, debited=charge.debited + event.credits)
            return msgspec.structs.replace(
                state,
                user_id=event.user_id,
                balance=state.balance - event.credits,
                debited=state.debited + event.credits,
                charges=state.charges.set(event.generation_id, charge),
            )
        case CreditsRefunded():
            return _refunded(state, event)
    return state


def _refunded(state: Account, event: CreditsRefunded) -> Account:
    charge = state.charges.get(event.generation_id, Charge())
    charge = msgspec.structs.replace(charge, refunded=charge.refunded + event.credits)
    if event.cause == "manual":
        charge = msgspec.structs.replace(
            charge, manual_by=event.actor, manual_note=event.note, manual_at=event.refunded_at
        )
    return msgspec.structs.replace(
        state,
        user_id=event.user_id,
        balance=state.balance + event.credits,
        refunded=state.refunded + event.credits,
        charges=state.charges.set(event.generation_id, charge),
    )


ACCOUNT = Decider("account", Account(), evolve)


# Decisions.


def grant(state: Account, *, user_id: str, grant_id: str, credits: int, note: str, actor: str) -> list[AccountEvent]:
    """Credits for the user. The same grant again gives nothing; with other figures it is refused."""
    if not 1 <= credits <= MAX_GRANT_CREDITS:
        raise InvalidField("credits", f"must be 1 to {MAX_GRANT_CREDITS:,}, not {credits}")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidField("note", f"must be at most {MAX_NOTE_LENGTH} characters, not {len(note)}")
    if (earlier := state.grants.get(grant_id)) is not None:
        if earlier.credits != credits:
            raise AlreadyExists("grant_id", grant_id, ("credits",))
        return []
    return [CreditsGranted(user_id=user_id, grant_id=grant_id, credits=credits, note=note, actor=actor)]


def debit(state: Account, *, user_id: str, generation_id: str, credits: int) -> list[AccountEvent]:
    """Takes the price of a generation, or refuses with the balance and the price."""
    if state.balance < credits:
        raise InsufficientCredits(state.balance, credits)
    return [CreditsDebited(user_id=user_id, generation_id=generation_id, credits=credits)]


def refund(
    state: Account,
    *,
    user_id: str,
    generation_id: str,
    credits: int,
    cause: RefundCause,
    failure_reason: str = "",
) -> list[AccountEvent]:
    """Gives back what an ended generation did not deliver.

    A refund beyond what is left of the debit means that the state is behind the log (or the caller wrong):
    it is refused rather than trimmed, so that a decision on stale state is never recorded.
    """
    if credits == 0:
        return []
    charge = state.charges.get(generation_id)
    if charge is None:
        raise NotFound("debit for generation", generation_id)
    if not 0 < credits <= charge.left:
        raise NothingToRefund(generation_id, charge.debited, charge.refunded)
    return [
        CreditsRefunded(
            user_id=user_id,
            generation_id=generation_id,
            credits=credits,
            cause=cause,
            failure_reason=failure_reason,
        )
    ]


def refund_by_hand(
    state: Account, *, user_id: str, generation_id: str, note: str, actor: str, now: datetime
) -> list[AccountEvent]:
    """Support gives back all that is left, once, with a name and a reason on it."""
    if not note.strip():
        raise InvalidField("reason", "is missing; say in a few words why the credits come back")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidField("reason", f"must be at most {MAX_NOTE_LENGTH} characters, not {len(note)}")
    if not actor.strip():
        raise InvalidField("actor", "is missing; say who gives the credits back")
    charge = state.charges.get(generation_id)
    if charge is None:
        raise NotFound("generation", generation_id)
    if charge.manual_at is not None:
        raise AlreadyRefunded(generation_id, charge.manual_by, charge.manual_at, charge.manual_note)
    if charge.left == 0:
        raise NothingToRefund(generation_id, charge.debited, charge.refunded)
    return [
        CreditsRefunded(
            user_id=user_id,
            generation_id=generation_id,
            credits=charge.left,
            cause="manual",
            actor=actor,
            note=note,
            refunded_at=now,
        )
    ]
