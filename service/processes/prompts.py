"""The steps before the vendor is called: the prompt is checked, and it is settled which words to use."""

from __future__ import annotations

from datetime import datetime

from service.domain.fulfilment import Moderate
from service.domain.generation.decided import NOTHING
from service.domain.generation.events import OwnWordsReason, PromptSource
from service.domain.generation.outcome import end_failed, refuse_prompt
from service.domain.generation.progress import pass_prompt, settle_prompt
from service.domain.generation.state import Generation
from service.ports.prompt_tools import ImprovedPrompt, ImprovementRefused, ModerationVerdict
from service.ports.work_list import Claim
from service.processes.toolbox import Toolbox


def _words(state: Generation) -> str:
    return state.asked.prompt if state.asked is not None else ""


async def moderate(tools: Toolbox, state: Generation, claim: Claim, step: Moderate) -> datetime | None:
    """Returns when to come back, or None to go on at once."""
    generation_id = state.generation_id
    verdict = await tools.prompt_tools.moderate(_words(state), user_id=state.user_id)
    if isinstance(verdict, ModerationVerdict):
        if verdict.allowed:
            await tools.generations.step(
                generation_id,
                lambda current: pass_prompt(current, model=verdict.model, skipped=False),
                tools.context,
            )
            return None
        await tools.generations.end(
            state.user_id,
            generation_id,
            lambda account, current: refuse_prompt(
                account, current, categories=verdict.categories, model=verdict.model
            ),
            tools.context,
        )
        return None
    if tools.policy.pass_unmoderated:
        await tools.generations.step(
            generation_id, lambda current: pass_prompt(current, model="", skipped=True), tools.context
        )
        return None
    if not step.last_try:
        return tools.next_retry(claim.attempt)
    detail = f"moderation was unavailable for {tools.policy.tool_patience_seconds:.0f} s: {verdict.detail}"
    await tools.generations.end(
        state.user_id,
        generation_id,
        # Another worker may have found the moderation well again.
        lambda account, current: (
            NOTHING if current.moderated else end_failed(account, current, reason="vendor_unavailable", detail=detail)
        ),
        tools.context,
    )
    return None


async def settle(tools: Toolbox, state: Generation) -> None:
    """Improved words where they can be had in time, the user's own otherwise; the event says which and why."""
    words = _words(state)
    prompt, model = words, ""
    source: PromptSource = "own_words"
    reason: OwnWordsReason = "asked"
    if state.asked is not None and state.asked.enhance_prompt:
        answer = await tools.prompt_tools.improve(
            words, generation_type=state.asked.generation_type, user_id=state.user_id
        )
        if isinstance(answer, ImprovedPrompt):
            prompt, model, source, reason = answer.prompt, answer.model, "improved", ""
        else:
            reason = "refused" if isinstance(answer, ImprovementRefused) else "unavailable"
    await tools.generations.step(
        state.generation_id,
        lambda current: settle_prompt(current, prompt=prompt, source=source, own_words_reason=reason, model=model),
        tools.context,
    )
