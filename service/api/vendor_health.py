"""What the health check says of vendors: ``vendor.fal`` is not serving while all workers' breakers are open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from service.ports.vendor_status import VendorStatusBoard

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
MAX_AGE_SECONDS = 20.0


async def keep_health(board: VendorStatusBoard, set_serving: Callable[[str, bool], Awaitable[None]]) -> None:
    """Looks every few seconds, until it is cancelled. A vendor that no worker speaks of is not serving."""
    known: set[str] = set()
    while True:
        try:
            reports = await board.current(max_age_seconds=MAX_AGE_SECONDS)
        except Exception as error:  # noqa: BLE001 - logged; the health check must outlive whatever its board has
            log.warning("vendor_health_unknown", error=str(error))
        else:
            usable = {report.vendor for report in reports if report.state != "open"}
            known |= {report.vendor for report in reports}
            for vendor in sorted(known):
                await set_serving(f"vendor.{vendor}", vendor in usable)
        await asyncio.sleep(LOOK_SECONDS)
