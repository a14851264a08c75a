"""The plain way to end without an output: failed, with everything paid back."""

from __future__ import annotations

from service.domain.generation.events import FailureReason
from service.domain.generation.outcome import end_failed
from service.domain.generation.state import Generation
from service.processes.toolbox import Toolbox


async def fail(tools: Toolbox, state: Generation, reason: FailureReason, detail: str) -> None:
    """``detail`` is for the operator. Changes nothing where the generation has ended meanwhile."""
    tools.ready_since.pop(state.generation_id, None)
    await tools.generations.end(
        state.user_id,
        state.generation_id,
        lambda account, current: end_failed(account, current, reason=reason, detail=detail),
        tools.context,
    )
