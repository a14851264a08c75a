"""From a step's name to the doing of it. Every step can be run again from the events alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from service.domain.account import Account
from service.domain.fulfilment import (
    CancelAtVendor,
    Expire,
    GiveUp,
    Look,
    Moderate,
    Nothing,
    RecordCancelled,
    SettlePrompt,
    Step,
    Submit,
    Wait,
    next_step,
)
from service.domain.generation.decided import NOTHING, Decided
from service.domain.generation.outcome import end_cancelled, end_failed
from service.domain.generation.state import Generation
from service.ports.work_list import Claim
from service.processes import collection, prompts, submission
from service.processes.toolbox import Toolbox

MAX_STEPS_PER_CLAIM = 16
"""More than any path through the process has; a bound, should one ever turn in circles."""


class Rest(NamedTuple):
    """A generation is due again, unless something happens that this worker has not seen."""

    due_at: datetime
    seen_position: int = 0
    """Of the generation's last event that was taken into account; 0 says no more than the claim did."""


async def advance(tools: Toolbox, claim: Claim, *, is_stopping: Callable[[], bool] = lambda: False) -> Rest | None:
    """Takes a generation as far as it goes now, or one step once ``is_stopping``. Returns when it is due again, None
    when it has ended."""
    for _ in range(MAX_STEPS_PER_CLAIM):
        loaded = await tools.generations.load_with_position(claim.generation_id)
        step = next_step(loaded.state, tools.clock.now(), tools.policy)
        if isinstance(step, Nothing):
            return None
        due_at = await perform(tools, loaded.state, claim, step)
        if due_at is not None:
            seen_position = await _seen_after_submit(tools, claim) if isinstance(step, Submit) else loaded.position
            return Rest(due_at, seen_position)
        if is_stopping():
            return Rest(tools.clock.now())
    return Rest(tools.next_retry(claim.attempt))


async def _seen_after_submit(tools: Toolbox, claim: Claim) -> int:
    """What the submission itself recorded is no reason to come back before its time; a wish to cancel is."""
    loaded = await tools.generations.load_with_position(claim.generation_id)
    return 0 if loaded.state.cancelling else loaded.position


async def perform(tools: Toolbox, state: Generation, claim: Claim, step: Step) -> datetime | None:
    """Does one step. Returns when to come back, None to ask for the next step at once."""
    match step:
        case Nothing():
            return None
        case Wait():
            return step.until
        case Moderate():
            return await prompts.moderate(tools, state, claim, step)
        case SettlePrompt():
            await prompts.settle(tools, state)
        case Submit():
            return await submission.submit(tools, state, claim)
        case Look():
            return await collection.look(tools, state, claim)
        case CancelAtVendor():
            return await collection.cancel_at_vendor(tools, state, claim)
        case Expire():
            await collection.expire(tools, state)
        case RecordCancelled() | GiveUp():
            await _end_unless_overtaken(tools, state, step)
    return None


async def _end_unless_overtaken(tools: Toolbox, state: Generation, step: RecordCancelled | GiveUp) -> None:
    """Ends what waited in vain; unless by now (a webhook, another worker) something else is to be done with it."""
    now = tools.clock.now()

    def decide(account: Account, current: Generation) -> Decided:
        if next_step(current, now, tools.policy) != step:
            return NOTHING
        if isinstance(step, RecordCancelled):
            return end_cancelled(account, current, actor=current.cancelling_actor)
        return end_failed(account, current, reason=step.failure_reason, detail=step.detail)

    await tools.generations.end(state.user_id, state.generation_id, decide, tools.context)
