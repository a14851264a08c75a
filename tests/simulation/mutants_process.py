"""Mistakes about the vendor and about time: what keeps a job from being paid twice, or a user from waiting on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec

from service.application import reports
from service.domain.fulfilment import GiveUp, Policy, Step, Submit, next_step
from service.domain.generation import events as e
from service.domain.generation.events import StoredMedia
from service.domain.generation.state import Generation, Phase
from service.ports.media_provider import AnswerLost, NotTaken, SubmitOutcome, SubmitRequest
from service.ports.media_store import CollectedOutput, MediaUnavailable
from service.ports.work_list import Claim
from service.processes import steps, submission
from service.processes.toolbox import Toolbox
from tests.simulation import fleet
from tests.simulation.tools import SimulatedMedia
from tests.simulation.vendor import Vendor

Submitting = Callable[[Vendor, SubmitRequest], Awaitable[SubmitOutcome]]


def submission_announced_afterwards() -> list[Any]:
    async def submit(tools: Toolbox, state: Generation, claim: Claim) -> datetime | None:
        request = await submission._request(tools, state)
        outcome = await submission._call(tools, request)
        now = tools.clock.now()
        started = await tools.generations.step(
            state.generation_id,
            lambda current: submission.start_submission(  # type: ignore[attr-defined]
                current, now=now, grace_until=now + timedelta(seconds=tools.policy.grace_seconds)
            ),
            tools.context,
        )
        return await submission._record(tools, started.state, outcome) if started.changed else None

    return [patch.object(submission, "submit", submit)]


def lost_answer_taken_for_not_taken() -> list[Any]:
    right: Submitting = Vendor.submit

    async def submit(self: Vendor, request: SubmitRequest) -> SubmitOutcome:
        answer = await right(self, request)
        return NotTaken(answer.detail) if isinstance(answer, AnswerLost) else answer

    return [patch.object(Vendor, "submit", submit)]


def lost_answer_sent_again_at_once() -> list[Any]:
    right: Submitting = Vendor.submit

    async def submit(self: Vendor, request: SubmitRequest) -> SubmitOutcome:
        answer = await right(self, request)
        return await right(self, request) if isinstance(answer, AnswerLost) else answer

    return [patch.object(Vendor, "submit", submit)]


def submitted_again_after_the_grace_time() -> list[Any]:
    def next_mutated_step(state: Generation, now: datetime, policy: Policy) -> Step:
        step = next_step(state, now, policy)
        overdue = state.deadline_at is not None and now >= state.deadline_at
        return Submit() if state.phase is Phase.SUBMITTING and isinstance(step, GiveUp) and not overdue else step

    def start_submission(state: Generation, *, now: datetime, grace_until: datetime) -> list[e.GenerationEvent]:
        if state.phase not in (Phase.REQUESTED, Phase.SUBMITTING):
            return []
        return [
            e.SubmissionStarted(
                generation_id=state.generation_id, attempt=state.attempts + 1, started_at=now, grace_until=grace_until
            )
        ]

    return [
        patch.object(steps, "next_step", next_mutated_step),
        patch.object(submission, "start_submission", start_submission),
    ]


def deadline_ignored() -> list[Any]:
    def next_mutated_step(state: Generation, now: datetime, policy: Policy) -> Step:
        if state.deadline_at is not None and state.phase is Phase.SUBMITTED:
            state = msgspec.structs.replace(state, deadline_at=state.deadline_at + timedelta(hours=1))
        return next_step(state, now, policy)

    return [patch.object(steps, "next_step", next_mutated_step)]


def lost_answer_waited_for_without_end() -> list[Any]:
    def next_mutated_step(state: Generation, now: datetime, policy: Policy) -> Step:
        if state.phase is Phase.SUBMITTING:
            later = now + timedelta(hours=1)
            state = msgspec.structs.replace(state, grace_until=later, deadline_at=later)
        return next_step(state, now, policy)

    return [patch.object(steps, "next_step", next_mutated_step)]


def late_answer_recorded_after_the_end() -> list[Any]:
    def record_submitted(
        state: Generation, *, provider_request_id: str, learned_from_webhook: bool
    ) -> list[e.GenerationEvent]:
        if state.provider_request_id:
            return []
        return [e.GenerationSubmitted(generation_id=state.generation_id, provider_request_id=provider_request_id)]

    return [
        patch.object(submission, "record_submitted", record_submitted),
        patch.object(reports, "record_submitted", record_submitted),
    ]


def success_written_before_the_file_is_kept() -> list[Any]:
    right = SimulatedMedia.collect

    async def collect(self: SimulatedMedia, url: str, *, generation_id: str, index: int) -> CollectedOutput:
        try:
            return await right(self, url, generation_id=generation_id, index=index)
        except MediaUnavailable:
            key = f"outputs/{generation_id}/{index}.png"
            media = StoredMedia(key=key, content_type="image/png", size_bytes=1, sha256="", width=8, height=8)
            return CollectedOutput(kind="image", media=media, thumbnail=media)

    return [patch.object(SimulatedMedia, "collect", collect)]


def lease_without_end() -> list[Any]:
    return [patch.object(fleet, "LEASE_SECONDS", 1e6)]
