"""Every event that can stand in the log, as one tagged union."""

from __future__ import annotations

from typing import get_args

from service.domain.account import AccountEvent
from service.domain.decider import DomainEvent
from service.domain.generation.events import GenerationEvent
from service.domain.imports import ImportsEvent

Event = AccountEvent | GenerationEvent | ImportsEvent

EVENT_TYPES: dict[str, type[DomainEvent]] = {cls.__name__: cls for cls in get_args(Event)}
"""By the name under which they are stored."""
