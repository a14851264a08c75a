"""Time, so that decisions take it as a fact and simulations can own it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; the only source of it for decisions and processes."""

    def now(self) -> datetime:
        """The present, timezone-aware, UTC."""
        ...
