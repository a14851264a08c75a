"""Where workers say how they find their vendors, so that health checks elsewhere can tell. Reports, not facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class VendorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How one worker finds one vendor."""

    vendor: str
    worker: str
    state: str
    """Of the worker's circuit breaker: ``closed``, ``open`` or ``half_open``."""
    detail: str = ""
    """What went wrong last, for the operator."""


class VendorStatusBoard(Protocol):
    """Where such reports are left and read."""

    async def report(self, status: VendorStatus) -> None:
        """Replaces what this worker said of this vendor before."""
        ...

    async def current(self, *, max_age_seconds: float) -> Sequence[VendorStatus]:
        """What workers said lately; those that went silent are left out."""
        ...
