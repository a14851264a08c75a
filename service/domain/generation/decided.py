"""What a decision about a generation says: events for two streams, because money moves with its reason."""

from __future__ import annotations

from typing import NamedTuple

from service.domain.account import AccountEvent
from service.domain.generation.events import GenerationEvent


class Decided(NamedTuple):
    """Events for the account's and the generation's stream; none at all means that nothing had to change."""

    account: list[AccountEvent]
    generation: list[GenerationEvent]


NOTHING = Decided([], [])
