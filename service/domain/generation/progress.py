"""The steps of a generation on its way to an end. They concern no money, so they speak for one stream.

Each answers with no events where the step is already taken or no longer wanted: a worker that comes second, or
comes back from a crash, changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from service.domain.generation import events as e
from service.domain.generation.state import Generation, Phase

Steps = list[e.GenerationEvent]


def pass_prompt(state: Generation, *, model: str, skipped: bool) -> Steps:
    """The moderation's yes (or, where the operator allows it, its absence)."""
    if state.phase is not Phase.REQUESTED or state.moderated:
        return []
    return [e.PromptModerated(generation_id=state.generation_id, allowed=True, model=model, skipped=skipped)]


def settle_prompt(
    state: Generation,
    *,
    prompt: str,
    source: e.PromptSource,
    own_words_reason: e.OwnWordsReason = "",
    model: str = "",
) -> Steps:
    """Which words go to the vendor."""
    if state.phase is not Phase.REQUESTED or state.prompt:
        return []
    return [
        e.PromptEnhanced(
            generation_id=state.generation_id,
            prompt=prompt,
            source=source,
            own_words_reason=own_words_reason,
            model=model,
        )
    ]


def start_submission(state: Generation, *, now: datetime, grace_until: datetime) -> Steps:
    """Before the vendor is called. Only the worker whose append this is may call it."""
    if state.phase is not Phase.REQUESTED or not state.prompt or state.cancelling:
        return []
    if state.retry_at is not None and now < state.retry_at:
        # Another worker tried and was put off since this one looked.
        return []
    return [
        e.SubmissionStarted(
            generation_id=state.generation_id,
            attempt=state.attempts + 1,
            started_at=now,
            grace_until=grace_until,
        )
    ]


def defer_submission(state: Generation, *, attempt: int, retry_at: datetime, detail: str) -> Steps:
    """The vendor surely did not take attempt ``attempt``; only the one in flight can be deferred."""
    if state.phase is not Phase.SUBMITTING or state.attempts != attempt:
        return []
    return [
        e.SubmissionDeferred(generation_id=state.generation_id, attempt=attempt, retry_at=retry_at, detail=detail)
    ]


def record_submitted(state: Generation, *, provider_request_id: str, learned_from_webhook: bool) -> Steps:
    """The vendor has it: by its answer, or by a webhook where the answer was lost.

    A deferred submission of which a webhook tells after all is taken as submitted too: better than to pay again.
    """
    if state.phase is Phase.REQUESTED and state.attempts and learned_from_webhook:
        pass
    elif state.phase is not Phase.SUBMITTING:
        return []
    return [
        e.GenerationSubmitted(
            generation_id=state.generation_id,
            provider_request_id=provider_request_id,
            learned_from="webhook" if learned_from_webhook else "answer",
        )
    ]


def refuse_cancellation(state: Generation, *, why: str) -> Steps:
    """The vendor is past the point; the generation goes on."""
    if state.ended or not state.cancelling:
        return []
    return [e.CancellationRefused(generation_id=state.generation_id, why=why)]


def record_late_report(state: Generation, *, provider_request_id: str, vendor_status: str) -> Steps:
    """A report after an end that did not come from it: recorded once, and nothing else changes.

    The webhook of an ordinary success arrives after the end as well (the poller was faster); that is no news.
    """
    if not state.ended or state.late_report or state.phase is Phase.SUCCEEDED:
        return []
    if state.failure_reason in ("content_policy", "invalid_input", "no_output") and vendor_status == "ERROR":
        return []
    return [
        e.LateReportReceived(
            generation_id=state.generation_id,
            provider_request_id=provider_request_id,
            vendor_status=vendor_status,
        )
    ]
