"""What a user had in an older gallery. Stream ``imports-{user_id}``.

Whose a generation is stands in its own stream. The way from a user to the generations is the account's stream, whose
debits name them; what was imported cost nothing and has no debit, so it is listed here. An account is left alone: it
is loaded for every request, and money does not move.
"""

from __future__ import annotations

import msgspec

from service.domain.decider import Decider, DomainEvent

# Events: names and fields are stored data and never change.


class ImportListed(DomainEvent, frozen=True):
    """An item of an older gallery came in for the user. Stands in one append with its ItemImported."""

    user_id: str
    generation_id: str


ImportsEvent = ImportListed


class Imports(msgspec.Struct, frozen=True):
    count: int = 0


def evolve(state: Imports, event: DomainEvent) -> Imports:
    """Total, like every evolve."""
    return Imports(state.count + 1) if isinstance(event, ImportListed) else state


IMPORTS = Decider("imports", Imports(), evolve)
