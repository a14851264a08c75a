"""A vendor's report that comes by itself (a webhook).

It is a hint: the vendor is asked before anything is decided on it, because what it says could be old, repeated or
out of order. It does teach one thing that nothing else can: the vendor's id of a submission whose answer was lost.
"""

from __future__ import annotations

import structlog

from service.application.execute import Context
from service.application.generations import Generations
from service.domain.generation.progress import record_late_report, record_submitted
from service.domain.generation.state import Generation, Phase
from service.ports.clock import Clock
from service.ports.work_list import WorkList

log = structlog.get_logger(__name__)

_CONTEXT = Context(actor="webhook")


class Reports:
    def __init__(self, generations: Generations, work_list: WorkList, clock: Clock) -> None:
        self._generations = generations
        self._work_list = work_list
        self._clock = clock

    async def receive(self, generation_id: str, *, provider_request_id: str, vendor_status: str) -> Generation:
        """Takes a verified report about a generation of ours. Harmless when repeated. Raises NotFound."""
        state = await self._generations.load(generation_id)
        if state.ended:
            outcome = await self._generations.step(
                generation_id,
                lambda current: record_late_report(
                    current, provider_request_id=provider_request_id, vendor_status=vendor_status
                ),
                _CONTEXT,
            )
            return outcome.state
        if state.phase is not Phase.SUBMITTED:
            outcome = await self._generations.step(
                generation_id,
                lambda current: record_submitted(
                    current, provider_request_id=provider_request_id, learned_from_webhook=True
                ),
                _CONTEXT,
            )
            state = outcome.state
        if state.provider_request_id not in ("", provider_request_id):
            log.warning(
                "webhook_of_another_request",
                generation_id=generation_id,
                expected=state.provider_request_id,
                received=provider_request_id,
            )
        await self._work_list.wake(generation_id, self._clock.now())
        return state
