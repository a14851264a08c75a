"""Everything a call can fail with.

    TriptychError                   code, reason, facts; the sentence is for people
    ├── InvalidArgument             violations: which fields cannot be right, and why
    ├── Unauthenticated             no token, or not one of this server's
    ├── NotFound                    resource, name; also what belongs to another user
    ├── AlreadyExists               field, differing: the id was used before, with other parameters
    ├── FailedPrecondition          the present state does not allow it
    │   ├── InsufficientCredits     balance, price
    │   ├── AlreadyRefunded         actor, refund_time, note: who gave it back by hand, when and why
    │   ├── NothingToRefund         debited, refunded
    │   ├── NotEnded                state: it still runs
    │   └── NotCancellable          state: too late to cancel
    ├── Conflict                    others kept changing the same thing; try again
    ├── Unavailable                 the service or its store is away; try again
    │   └── Unreachable             nobody answered at all
    ├── ResourceExhausted           too much at once
    ├── DeadlineExceeded            no answer in time; whether it was done is not known
    ├── InternalError               error_id: what to tell the operator
    ├── Unimplemented               the server is older than this client, or not Triptych
    ├── DamagedDownload             the bytes that came are not those that were announced
    └── NotDelivered                generation: it ended without an output (``Generation.require_success``)

A reason that this client does not know still arrives as the class of its status code, with ``reason`` and ``facts``.
Wrong options of the client itself are InvalidOption, a ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clients.sdk.models import Generation


class InvalidOption(ValueError):
    """An option of the client cannot be right. ``option`` is its name."""

    def __init__(self, option: str, description: str) -> None:
        super().__init__(f"{option}: {description}")
        self.option = option
        self.description = description


class Violation(NamedTuple):
    """A field of the request that cannot be right, and what would be."""

    field: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a status said, taken apart."""

    code: str
    """The name of the gRPC status code, such as ``NOT_FOUND``."""
    message: str
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after_seconds: float | None = None

    def number(self, fact: str) -> int:
        """A fact that is a whole number; 0 if it is not there."""
        try:
            return int(self.facts.get(fact, ""))
        except ValueError:
            return 0

    def time(self, fact: str) -> datetime | None:
        """A fact that is a time; None if it is not there."""
        try:
            return datetime.fromisoformat(self.facts.get(fact, ""))
        except ValueError:
            return None


class TriptychError(Exception):
    """A call failed. Catch this for all of them."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.message = refusal.message
        self.code = refusal.code
        self.reason = refusal.reason
        self.facts = refusal.facts
        self.retry_after_seconds = refusal.retry_after_seconds
        """Set where the service says that trying again later may help; the client did, before it raised this."""


class InvalidArgument(TriptychError):
    """Fields of the request cannot be right."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.violations = refusal.violations


class Unauthenticated(TriptychError):
    """No token, or none that this server knows."""


class NotFound(TriptychError):
    """There is no such ``resource``, or it is another user's."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.resource = refusal.facts.get("resource", "")
        self.name = refusal.facts.get("name", "")


class AlreadyExists(TriptychError):
    """The id in ``field`` was used before; ``differing`` names the parameters that were others then."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.field = refusal.facts.get("field", "")
        self.differing = tuple(name for name in refusal.facts.get("differing", "").split(",") if name)


class FailedPrecondition(TriptychError):
    """The present state does not allow it."""


class InsufficientCredits(FailedPrecondition):
    """The balance does not cover the price; nothing was taken. Both in credits."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.balance = refusal.number("balance")
        self.price = refusal.number("price")


class AlreadyRefunded(FailedPrecondition):
    """The rest was given back by hand before: by whom, when and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.generation_id = refusal.facts.get("generation_id", "")
        self.actor = refusal.facts.get("actor", "")
        self.refund_time = refusal.time("refund_time")
        self.note = refusal.facts.get("note", "")


class NothingToRefund(FailedPrecondition):
    """All that was taken has come back already. Both in credits."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.generation_id = refusal.facts.get("generation_id", "")
        self.debited = refusal.number("debited")
        self.refunded = refusal.number("refunded")


class NotEnded(FailedPrecondition):
    """The generation still runs: cancel it, or wait for its end."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.generation_id = refusal.facts.get("generation_id", "")
        self.state = refusal.facts.get("state", "")


class NotCancellable(FailedPrecondition):
    """Too late to cancel; the message says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.generation_id = refusal.facts.get("generation_id", "")
        self.state = refusal.facts.get("state", "")


class Conflict(TriptychError):
    """Others kept changing the same account or generation."""


class Unavailable(TriptychError):
    """The service, or something that it needs, is away."""


class Unreachable(Unavailable):
    """Nobody answered at the address."""


class ResourceExhausted(TriptychError):
    """The server has too many calls in hand, or a message was too large."""


class DeadlineExceeded(TriptychError):
    """No answer in time. Whether it was done is not known: call again with the same request_id or grant_id."""


class InternalError(TriptychError):
    """A defect of the service. ``error_id`` leads its operator to what happened."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.error_id = refusal.facts.get("error_id", "")


class Unimplemented(TriptychError):
    """The server does not know the method."""


class DamagedDownload(TriptychError):
    """The bytes that came are not those that were announced; nothing was saved."""

    def __init__(self, what: str) -> None:
        super().__init__(Refusal(code="DATA_LOSS", reason="DAMAGED_DOWNLOAD", message=f"The download {what}."))


class NotDelivered(TriptychError):
    """A generation ended without an output; its credits have come back."""

    def __init__(self, generation: Generation, message: str) -> None:
        super().__init__(Refusal(code="OK", reason="NOT_DELIVERED", message=message))
        self.generation = generation
