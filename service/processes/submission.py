"""The step that may cost money: calling the vendor.

``SubmissionStarted`` is written first, and only the worker whose append that was calls. If this process dies or the
answer is lost after that, the outcome is unknown and the vendor is not asked again: the webhook may still bring the
answer until the grace time ends, then the generation fails and is paid back.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from service.domain.errors import NotFound
from service.domain.generation.progress import (
    defer_submission,
    record_late_report,
    record_submitted,
    start_submission,
)
from service.domain.generation.state import Generation
from service.ports.media_provider import Accepted, AnswerLost, NotTaken, Refused, SubmitOutcome, SubmitRequest
from service.ports.media_store import MediaUnavailable
from service.ports.work_list import Claim
from service.processes.ending import fail
from service.processes.toolbox import Toolbox, within_deadline

log = structlog.get_logger(__name__)


async def submit(tools: Toolbox, state: Generation, claim: Claim) -> datetime | None:
    """Returns when to come back, or None to go on at once."""
    if (blocked_until := tools.breaker.blocked_until()) is not None:
        return within_deadline(blocked_until, state)
    try:
        request = await _request(tools, state)
    except MediaUnavailable as error:
        log.warning("reference_unavailable", generation_id=state.generation_id, error=str(error))
        return tools.next_retry(claim.attempt)
    except NotFound as error:
        await fail(tools, state, "invalid_input", f"the reference picture is gone: {error}")
        return None
    now = tools.clock.now()
    started = await tools.generations.step(
        state.generation_id,
        lambda current: start_submission(
            current, now=now, grace_until=now + timedelta(seconds=tools.policy.grace_seconds)
        ),
        tools.context,
    )
    if not started.changed:
        return None
    outcome = await _call(tools, request)
    return await _record(tools, started.state, outcome)


async def _request(tools: Toolbox, state: Generation) -> SubmitRequest:
    asked = state.asked
    assert asked is not None
    reference, content_type = None, ""
    if asked.reference_media_id:
        reference, content_type = await tools.media.read_reference(state.user_id, asked.reference_media_id)
    # The type may have left the catalog since; what was asked and paid for is still made.
    media_type = tools.catalog.types.get(asked.generation_type)
    return SubmitRequest(
        generation_id=state.generation_id,
        generation_type=asked.generation_type,
        model=state.model,
        prompt=state.prompt,
        aspect_ratio=state.aspect_ratio,
        output_count=state.output_count,
        seed=asked.seed,
        reference=reference,
        reference_content_type=content_type,
        arguments=media_type.arguments if media_type is not None else {},
        webhook_url=tools.webhook_url_for(state.generation_id),
        timeout_seconds=tools.pace.submit_timeout_seconds,
    )


async def _call(tools: Toolbox, request: SubmitRequest) -> SubmitOutcome:
    # Twice the adapter's own bound: reached only if the adapter fails to keep it.
    bound_seconds = 2 * request.timeout_seconds
    try:
        async with asyncio.timeout(bound_seconds):
            return await tools.provider.submit(request)
    except TimeoutError:
        return AnswerLost(f"no answer within {bound_seconds:.0f} s")
    except Exception as error:
        # Whatever went wrong, the request may have left: only an explicit NotTaken says that it did not.
        log.exception("submit_failed", generation_id=request.generation_id)
        return AnswerLost(f"{type(error).__name__} while submitting")


async def _record(tools: Toolbox, state: Generation, outcome: SubmitOutcome) -> datetime | None:
    match outcome:
        case Accepted():
            tools.breaker.succeeded()
            await _accepted(tools, state, outcome)
            return tools.in_seconds(tools.pace.first_look_seconds)
        case Refused():
            tools.breaker.succeeded()
            await fail(tools, state, outcome.failure_reason, outcome.detail)
            return None
        case NotTaken():
            tools.breaker.failed(outcome.detail)
            return await _defer(tools, state, outcome)
        case AnswerLost():
            tools.breaker.failed(outcome.detail, about=state.generation_id)
            log.warning("submit_answer_lost", generation_id=state.generation_id, detail=outcome.detail)
            return within_deadline(state.grace_until or tools.clock.now(), state)


async def _accepted(tools: Toolbox, state: Generation, outcome: Accepted) -> None:
    recorded = await tools.generations.step(
        state.generation_id,
        lambda current: record_submitted(
            current, provider_request_id=outcome.provider_request_id, learned_from_webhook=False
        ),
        tools.context,
    )
    if not recorded.changed and recorded.state.provider_request_id != outcome.provider_request_id:
        # It was given up while the vendor took its time, or a webhook told that an earlier attempt was taken after
        # all: get this one off the vendor's bill, and say so in the log.
        verdict = await tools.provider.cancel(state.model, outcome.provider_request_id, force=True)
        await tools.generations.step(
            state.generation_id,
            lambda current: record_late_report(
                current, provider_request_id=outcome.provider_request_id, vendor_status=f"accepted, {verdict}"
            ),
            tools.context,
        )


async def _defer(tools: Toolbox, state: Generation, outcome: NotTaken) -> datetime | None:
    asked_for = tools.in_seconds(min(outcome.retry_after_seconds, 60.0))
    retry_at = within_deadline(max(tools.next_retry(state.attempts), asked_for), state)
    await tools.generations.step(
        state.generation_id,
        lambda current: defer_submission(current, attempt=state.attempts, retry_at=retry_at, detail=outcome.detail),
        tools.context,
    )
    return retry_at
