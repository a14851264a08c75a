"""What the health check says of projections: ``projection.work_list`` and its like.

One is not serving once it has stopped at an event that it cannot apply, or has been behind the log without moving for
a while, as happens where no process with the role projector runs. That matters most for the work list: what is
requested after that event reaches no worker, and nobody would see to its deadline, until an operator skips it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from service.api.dependencies import ProjectionControl
from service.ports.projections import ProjectionStatus

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
STANDSTILL_SECONDS = 30.0


class Watch:
    """Tells standing still from being slow: it remembers when each projection was last seen to move."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._moved: dict[str, tuple[int, float]] = {}

    def judge(self, statuses: Sequence[ProjectionStatus]) -> dict[str, bool]:
        """Whether each projection that is read from keeps up."""
        return {each.name: self._keeps_up(each) for each in statuses if each.serving}

    def _keeps_up(self, status: ProjectionStatus) -> bool:
        now = self._monotonic()
        position, since = self._moved.get(status.name, (-1, now))
        if status.lag == 0 or status.position != position:
            since = now
        self._moved[status.name] = status.position, since
        return status.state != "stopped" and now - since < STANDSTILL_SECONDS


async def keep_projection_health(
    projections: ProjectionControl, set_serving: Callable[[str, bool], Awaitable[None]]
) -> None:
    """Looks every few seconds, until it is cancelled."""
    watch = Watch()
    while True:
        try:
            judged = watch.judge(await projections.statuses())
        except Exception as error:  # noqa: BLE001 - logged; the health check must outlive its database's outages
            log.warning("projection_health_unknown", error=str(error))
        else:
            for name, serving in judged.items():
                await set_serving(f"projection.{name}", serving)
        await asyncio.sleep(LOOK_SECONDS)
