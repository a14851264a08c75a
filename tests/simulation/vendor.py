"""The simulated vendor: takes jobs, makes them, reports them. Its own memory is the truth about what it was asked.

A request that has left is under way by itself: it arrives also when the process that sent it is dead by then.
``NotTaken`` is only ever said where the request surely did not arrive, which is what the port promises.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Literal

from service.ports.media_provider import (
    Accepted,
    AnswerLost,
    CancelVerdict,
    LookOutcome,
    NotTaken,
    Refused,
    SubmitOutcome,
    SubmitRequest,
    Unreachable,
    Waiting,
)
from tests.simulation.jobs import Job, draw_job
from tests.simulation.lines import Faults, Surroundings

SubmitFault = Literal["refused", "not_taken", "lost_before", "lost_after", "defect_before", "defect_after", "slow"]
_SUBMIT_FAULTS: tuple[SubmitFault, ...] = (
    "refused",
    "not_taken",
    "not_taken",
    "lost_before",
    "lost_after",
    "defect_before",
    "defect_after",
    "slow",
)
Deliver = Callable[[str, str, str], Awaitable[None]]
"""Brings a webhook to the service: ``(generation_id, provider_request_id, status)``."""


class Vendor:
    def __init__(self, world: Surroundings, deliver: Deliver) -> None:
        self.jobs: dict[str, Job] = {}
        self.arrivals: list[str] = []
        """The generation of every request that arrived, taken or not, in order."""
        self._world = world
        self._deliver = deliver
        self._source = world.source("vendor")
        self._submit_faults = Faults(world, "vendor", world.weather.submit_fault_rate, self._source)
        self._look_faults = Faults(world, "vendor", world.weather.look_fault_rate, self._source)

    @property
    def name(self) -> str:
        return "simulated"

    async def submit(self, request: SubmitRequest) -> SubmitOutcome:
        await asyncio.sleep(self._source.expovariate(20))
        if self._submit_faults.out():
            return NotTaken("connection refused", retry_after_seconds=self._source.choice((0.0, 0.0, 3.0, 600.0)))
        fault = self._source.choice(_SUBMIT_FAULTS) if self._submit_faults.strikes() else None
        if fault is not None:
            self._world.trace.tell(f"submit_{fault}", request.generation_id)
        match fault:
            case "not_taken":
                return NotTaken("connection refused")
            case "lost_before":
                return AnswerLost("the connection broke")
            case "defect_before":
                raise RuntimeError("a defect of the adapter, before it sent anything")
        answer: asyncio.Future[SubmitOutcome] = self._world.loop.create_future()
        self._world.background(self._arrive(request, answer, fault))
        return await answer

    async def _arrive(
        self, request: SubmitRequest, answer: asyncio.Future[SubmitOutcome], fault: SubmitFault | None
    ) -> None:
        await asyncio.sleep(self._source.expovariate(0.1 if fault == "slow" else 10))
        self.arrivals.append(request.generation_id)
        outcome: SubmitOutcome | Exception
        if fault == "refused":
            outcome = Refused("invalid_input", "the vendor refuses it")
        else:
            job = self._take(request)
            outcome = Accepted(job.job_id)
            if fault == "lost_after":
                outcome = AnswerLost("the connection broke after the request had left")
            elif fault == "defect_after":
                outcome = RuntimeError("a defect of the adapter, after it sent the request")
        await asyncio.sleep(self._source.expovariate(0.1 if fault == "slow" else 10))
        if answer.done():
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _take(self, request: SubmitRequest) -> Job:
        now = self._world.loop.time()
        job = draw_job(f"job-{len(self.jobs) + 1}", request, now, self._world.weather, self._source)
        self.jobs[job.job_id] = job
        what = job.refusal.failure_reason if job.refusal else ",".join(job.fates) or "no files"
        self._world.trace.tell("job", f"{job.job_id} for {job.generation_id}, ready at {job.ready_at:.1f}: {what}")
        for _ in range(self._source.choice((1, 1, 2, 3))):
            if self._source.random() >= self._world.weather.webhook_loss_rate:
                self._world.background(self._report(job, self._source.choice((0.0, 0.05, 1.0, 20.0))))
        return job

    async def _report(self, job: Job, delay_seconds: float) -> None:
        if job.ready_at == float("inf"):
            return
        wait_seconds = max(job.ready_at - self._world.loop.time(), 0) + self._source.random() * delay_seconds
        await asyncio.sleep(wait_seconds)
        status = "ERROR" if job.refusal is not None or job.cancelled else "OK"
        self._world.trace.tell("webhook", f"{job.job_id} {status}")
        await self._deliver(job.generation_id, job.job_id, status)

    async def look(self, model: str, provider_request_id: str) -> LookOutcome:
        await asyncio.sleep(self._source.expovariate(20))
        if self._look_faults.out():
            return Unreachable("connection refused")
        lie = self._lie() if self._look_faults.strikes() else None
        if lie is not None:
            return lie
        job = self.jobs.get(provider_request_id)
        if job is None:
            return Refused("internal", "the vendor knows no such request")
        return job.outcome(self._world.loop.time(), self._source)

    def _lie(self) -> LookOutcome | None:
        return self._source.choice((Unreachable("504"), Unreachable("no JSON"), Waiting(), None))

    async def cancel(self, model: str, provider_request_id: str, *, force: bool = False) -> CancelVerdict:
        await asyncio.sleep(self._source.expovariate(20))
        if self._look_faults.out():
            return "unreachable"
        if self._look_faults.strikes():
            # Some of these lie: the job goes on as if nobody had asked.
            return self._source.choice(("unreachable", "cancelled", "being_made", "unknown_request"))
        return self._cancelled(self.jobs.get(provider_request_id), force=force)

    def _cancelled(self, job: Job | None, *, force: bool) -> CancelVerdict:
        now = self._world.loop.time()
        if job is None:
            return "unknown_request"
        if now >= job.ready_at:
            return "already_completed"
        if now >= job.starts_at and not force:
            return "being_made"
        job.cancelled = True
        return "cancelled"

    def fate(self, url: str, source: random.Random) -> str:
        """What comes of fetching one of its files."""
        job_id, index = url.rsplit("/", 2)[1:]
        fate = self.jobs[job_id].fates[int(index)]
        if fate == "late":
            return source.choice(("good", "gone"))
        return fate
