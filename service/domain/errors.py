"""Everything the domain refuses with.

    DomainError
    ├── InvalidField            a value that cannot be right: names the field and what would be
    ├── NotFound                no such generation, item, account or media for this caller
    ├── AlreadyExists           the id was used before, for something else
    ├── PreconditionFailed      the state does not allow it (yet, or any more)
    │   ├── InsufficientCredits
    │   ├── AlreadyRefunded
    │   ├── NothingToRefund
    │   └── NotCancellable
    └── Conflict                another writer was faster, more often than we retry

Facts are attributes and reach the wire as ``ErrorInfo`` metadata; nobody has to parse a sentence.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class DomainError(Exception):
    """A refusal. ``reason`` is stable and machine-readable; ``facts`` are what it was decided on."""

    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidField(DomainError):
    """A field of the request cannot be right. ``field`` is its path in the request."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}", field=field)
        self.field = field
        self.description = description


class NotFound(DomainError):
    """There is no such ``resource`` (or none that this caller may see)."""

    reason = "NOT_FOUND"

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f"There is no {resource} {name!r}.", resource=resource, name=name)
        self.resource = resource
        self.name = name


class AlreadyExists(DomainError):
    """The id was used before with other parameters; ``differing`` names them."""

    reason = "ID_REUSED"

    def __init__(self, field: str, value: str, differing: tuple[str, ...]) -> None:
        super().__init__(
            f"{field} {value!r} was used before; what differs from then: {', '.join(differing)}. "
            f"Use a new {field} for a new request, or send the first one again unchanged.",
            field=field,
            differing=",".join(differing),
        )
        self.field = field
        self.differing = differing


class PreconditionFailed(DomainError):
    """The present state does not allow it."""

    reason = "PRECONDITION_FAILED"


class InsufficientCredits(PreconditionFailed):
    """The balance does not cover the price. All figures are credits."""

    reason = "INSUFFICIENT_CREDITS"

    def __init__(self, balance: int, price: int) -> None:
        super().__init__(
            f"This costs {price} credits and the balance is {balance}: {price - balance} are missing.",
            balance=balance,
            price=price,
        )
        self.balance = balance
        self.price = price


class AlreadyRefunded(PreconditionFailed):
    """Support gave the rest back before: who, when and why."""

    reason = "ALREADY_REFUNDED"

    def __init__(self, generation_id: str, actor: str, refund_time: datetime, note: str) -> None:
        super().__init__(
            f"{actor} refunded this generation by hand at {refund_time.isoformat()}: {note}",
            generation_id=generation_id,
            actor=actor,
            refund_time=refund_time.isoformat(),
            note=note,
        )
        self.actor = actor
        self.refund_time = refund_time
        self.note = note


class NothingToRefund(PreconditionFailed):
    """Everything that was debited for the generation has already come back, or nothing was."""

    reason = "NOTHING_TO_REFUND"

    def __init__(self, generation_id: str, debited: int, refunded: int) -> None:
        super().__init__(
            f"Of {debited} credits taken for this generation {refunded} came back already: nothing is left."
            if debited
            else "No credits were taken for this generation: there are none to give back.",
            generation_id=generation_id,
            debited=debited,
            refunded=refunded,
        )


class NotEnded(PreconditionFailed):
    """A generation that still runs is not refunded by hand: cancel it, or wait for its end."""

    reason = "NOT_ENDED"

    def __init__(self, generation_id: str, state: str) -> None:
        super().__init__(
            f"The generation is {state}: cancel it, or wait until it ends, before refunding it.",
            generation_id=generation_id,
            state=state,
        )


class NotCancellable(PreconditionFailed):
    """Too late to cancel; the message says why."""

    reason = "NOT_CANCELLABLE"

    def __init__(self, generation_id: str, state: str, why: str) -> None:
        super().__init__(why, generation_id=generation_id, state=state)
        self.state = state


class Conflict(DomainError):
    """Other writers kept changing ``stream``; the command was decided ``attempts`` times in vain."""

    reason = "CONFLICT"

    def __init__(self, stream: str, attempts: int) -> None:
        super().__init__(
            f"{stream} kept changing while this was decided ({attempts} attempts); try again.",
            stream=stream,
            attempts=attempts,
        )
