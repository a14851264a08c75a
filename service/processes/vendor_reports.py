"""A worker's word on how it finds its vendor, kept fresh for health checks."""

from __future__ import annotations

import asyncio

import structlog

from service.ports.vendor_status import VendorStatus, VendorStatusBoard
from service.processes.breaker import Breaker

log = structlog.get_logger(__name__)

REPORT_SECONDS = 5.0


async def keep_reporting(board: VendorStatusBoard, breaker: Breaker, changed: asyncio.Event, worker: str) -> None:
    """Every few seconds, and at once when ``changed`` is set, until it is cancelled."""
    while True:
        changed.clear()
        try:
            await board.report(
                VendorStatus(
                    vendor=breaker.vendor,
                    worker=worker,
                    state=breaker.present_state.value,
                    detail=breaker.last_failure,
                )
            )
        except Exception as error:  # noqa: BLE001 - whatever the board fails with
            # Only a report: the next one is due soon, and the worker does not depend on it.
            log.warning("vendor_report_failed", vendor=breaker.vendor, error=str(error))
        try:
            async with asyncio.timeout(REPORT_SECONDS):
                await changed.wait()
        except TimeoutError:
            continue
