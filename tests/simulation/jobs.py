"""What the simulated vendor will do with a job: drawn when the job arrives, told only when it is asked."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from service.domain.generation.events import FailureReason
from service.ports.media_provider import Completed, LookOutcome, ProducedFile, Refused, SubmitRequest, Waiting
from tests.simulation.weather import Weather

FileFate = Literal["good", "flagged", "rejected", "gone", "late"]
_FATES: tuple[FileFate, ...] = ("flagged", "rejected", "gone", "late")
_REASONS: tuple[FailureReason, ...] = ("content_policy", "invalid_input", "no_output", "internal")


@dataclass
class Job:
    """Times in seconds of the run. ``ready_at`` is infinite for a job whose status never changes."""

    job_id: str
    generation_id: str
    starts_at: float
    ready_at: float
    fates: tuple[FileFate, ...]
    refusal: Refused | None = None
    fickle: bool = False
    """Lies: it tells of another number of files each time."""
    cancelled: bool = False

    def url(self, index: int) -> str:
        return f"https://vendor.example/{self.job_id}/{index}"

    def outcome(self, now_seconds: float, source: random.Random) -> LookOutcome:
        if self.cancelled:
            return Refused("internal", "client_cancelled")
        if now_seconds < self.ready_at:
            return Waiting(queue_position=1 if now_seconds < self.starts_at else None)
        if self.refusal is not None:
            return self.refusal
        count = source.randint(0, len(self.fates)) if self.fickle else len(self.fates)
        return Completed(
            tuple(
                ProducedFile(url=self.url(index), seed=index, flagged=fate == "flagged")
                for index, fate in enumerate(self.fates[:count])
            )
        )


def draw_job(job_id: str, request: SubmitRequest, now_seconds: float, weather: Weather, source: random.Random) -> Job:
    lying = source.random() < weather.vendor_lie_rate
    count = source.randint(0, request.output_count + 2) if lying else request.output_count
    fates: tuple[FileFate, ...] = tuple(
        source.choice(_FATES) if source.random() < weather.media_fault_rate / 2 else "good" for _ in range(count)
    )
    starts_at = now_seconds + source.choice((0.0, source.expovariate(0.3)))
    ready_at = starts_at + source.choice((0.0, source.expovariate(0.2), source.uniform(0, 60)))
    refusal = None
    if lying and source.random() < 0.3:
        ready_at = float("inf")
    elif source.random() < weather.submit_fault_rate / 4:
        refusal = Refused(source.choice(_REASONS), "the vendor would not make it")
    return Job(
        job_id,
        request.generation_id,
        starts_at,
        ready_at,
        fates,
        refusal=refusal,
        fickle=lying and source.random() < 0.3,
    )
