"""The steps while the vendor has it: look, collect what is finished, cancel, and end what is overdue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from service.domain.generation.events import FailureReason
from service.domain.generation.outcome import Delivered, end_cancelled, end_delivered
from service.domain.generation.progress import refuse_cancellation
from service.domain.generation.state import Generation
from service.ports.media_provider import Completed, LookOutcome, ProducedFile, Refused, Unreachable, Waiting
from service.ports.media_store import MediaRejected, MediaUnavailable
from service.ports.work_list import Claim
from service.processes.ending import fail
from service.processes.toolbox import Toolbox, within_deadline

log = structlog.get_logger(__name__)

_TOO_LATE = {
    "being_made": "It is too late to cancel: it is being made already.",
    "already_completed": "It is too late to cancel: it is finished and on its way.",
}


async def look(tools: Toolbox, state: Generation, claim: Claim) -> datetime | None:
    """Asks the vendor, at most until the deadline. Returns when to come back, or None to go on at once."""
    if (blocked_until := tools.breaker.blocked_until()) is not None:
        return within_deadline(blocked_until, state)
    try:
        async with asyncio.timeout(tools.seconds_left(state)):
            outcome = await _ask(tools, state)
    except TimeoutError:
        return None  # overdue now
    match outcome:
        case Waiting():
            await tools.progress.report(
                state.generation_id, queue_position=outcome.queue_position, log_line=outcome.log_line
            )
            return within_deadline(tools.next_look(claim), state)
        case Unreachable():
            log.warning("vendor_unreachable", generation_id=state.generation_id, detail=outcome.detail)
            return within_deadline(tools.next_retry(claim.attempt), state)
        case Refused():
            await fail(tools, state, outcome.failure_reason, outcome.detail)
            return None
        case Completed():
            return await _collect(tools, state, claim, outcome)


async def _ask(tools: Toolbox, state: Generation) -> LookOutcome:
    outcome = await tools.provider.look(state.model, state.provider_request_id)
    if isinstance(outcome, Unreachable):
        tools.breaker.failed(outcome.detail, about=state.generation_id)
    else:
        tools.breaker.succeeded()
    return outcome


async def _collect(tools: Toolbox, state: Generation, claim: Claim, completed: Completed) -> datetime | None:
    ready_since = tools.ready_since.setdefault(state.generation_id, tools.clock.now())
    patience = timedelta(seconds=tools.pace.media_patience_seconds)
    delivered, lost, missing = await _fetch(tools, state, completed.files, timeout_seconds=tools.seconds_left(state))
    if missing and tools.clock.now() < ready_since + patience:
        log.warning("media_unavailable", generation_id=state.generation_id, details=missing)
        return within_deadline(tools.next_retry(claim.attempt), state)
    # What the vendor made and could not be brought in has nothing to do with the user's words.
    none_reason: FailureReason = "internal" if missing else "no_output"
    await _end_with(tools, state, completed, delivered, [*lost, *missing], none_reason=none_reason)
    tools.ready_since.pop(state.generation_id, None)
    return None


async def _fetch(
    tools: Toolbox, state: Generation, files: Sequence[ProducedFile], *, timeout_seconds: float
) -> tuple[list[Delivered], list[str], list[str]]:
    """``(delivered, why others never will be, why others could not be had this time)``."""
    delivered: list[Delivered] = []
    lost: list[str] = []
    missing: list[str] = []

    async def fetch(index: int, file: ProducedFile) -> None:
        if file.flagged:
            lost.append(f"output {index} was flagged by the vendor's safety checker")
            return
        try:
            async with asyncio.timeout(timeout_seconds):
                output = await tools.collector.collect(file.url, generation_id=state.generation_id, index=index)
        except TimeoutError:
            missing.append(f"output {index}: not fetched within {timeout_seconds:.0f} s")
        except MediaRejected as error:
            lost.append(f"output {index}: {error}")
        except MediaUnavailable as error:
            missing.append(f"output {index}: {error}")
        else:
            delivered.append(
                Delivered(
                    index=index,
                    kind=output.kind,
                    media=output.media,
                    thumbnail=output.thumbnail,
                    seed=file.seed,
                )
            )

    async with asyncio.TaskGroup() as group:
        for index, file in enumerate(files[: state.output_count]):
            group.create_task(fetch(index, file))
    return delivered, sorted(lost), sorted(missing)


async def _end_with(
    tools: Toolbox,
    state: Generation,
    completed: Completed,
    delivered: Sequence[Delivered],
    problems: Sequence[str],
    *,
    none_reason: FailureReason,
) -> None:
    files = completed.files[: state.output_count]
    if files and all(file.flagged for file in files):
        none_reason = "content_policy"
    told = [f"the vendor made {len(files)} of {state.output_count}"] if len(files) < state.output_count else []
    detail = "; ".join([*told, *problems])
    await tools.generations.end(
        state.user_id,
        state.generation_id,
        lambda account, current: end_delivered(
            account, current, delivered=delivered, undelivered_detail=detail, none_reason=none_reason
        ),
        tools.context,
    )


async def cancel_at_vendor(tools: Toolbox, state: Generation, claim: Claim) -> datetime | None:
    """The user's wish to cancel, put to the vendor."""
    if (blocked_until := tools.breaker.blocked_until()) is not None:
        return within_deadline(blocked_until, state)
    try:
        async with asyncio.timeout(tools.seconds_left(state)):
            verdict = await tools.provider.cancel(state.model, state.provider_request_id)
    except TimeoutError:
        return None  # overdue now
    if verdict == "unreachable":
        tools.breaker.failed("cancel was not answered", about=state.generation_id)
        return within_deadline(tools.next_retry(claim.attempt), state)
    tools.breaker.succeeded()
    if (why := _TOO_LATE.get(verdict)) is not None:
        await tools.generations.step(
            state.generation_id, lambda current: refuse_cancellation(current, why=why), tools.context
        )
        return None
    await _record_cancelled(tools, state)
    return None


async def _record_cancelled(tools: Toolbox, state: Generation) -> None:
    await tools.generations.end(
        state.user_id,
        state.generation_id,
        lambda account, current: end_cancelled(account, current, actor=current.cancelling_actor),
        tools.context,
    )


async def expire(tools: Toolbox, state: Generation) -> None:
    """Past the deadline: out at the vendor, and an end with whatever is finished. Bounded, so that a vendor that
    hangs does not keep the credits of those who wait."""
    completed = Completed(())
    reason: FailureReason = "timed_out"
    detail = "the deadline passed while the vendor had it"
    if tools.breaker.blocked_until() is None:
        try:
            async with asyncio.timeout(tools.pace.expire_timeout_seconds):
                await tools.provider.cancel(state.model, state.provider_request_id, force=True)
                outcome = await _ask(tools, state)
                if isinstance(outcome, Completed):
                    completed = outcome
                elif isinstance(outcome, Refused) and outcome.failure_reason != "internal":
                    detail = f"{detail}; {outcome.detail}"
        except TimeoutError:
            tools.breaker.failed("no answer about an overdue generation", about=state.generation_id)
    if not completed.files:
        await fail(tools, state, reason, detail)
        return
    delivered, lost, missing = await _fetch(
        tools, state, completed.files, timeout_seconds=tools.pace.expire_timeout_seconds
    )
    await _end_with(tools, state, completed, delivered, [detail, *lost, *missing], none_reason=reason)
    tools.ready_since.pop(state.generation_id, None)
