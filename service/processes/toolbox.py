"""What the steps work with, handed in once by the composition root."""

from __future__ import annotations

import random
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cachetools import LRUCache

from service.application.execute import Context
from service.application.generations import Generations
from service.domain.catalog import Catalog
from service.domain.fulfilment import Policy
from service.domain.generation.state import Generation
from service.ports.clock import Clock
from service.ports.media_provider import MediaProvider
from service.ports.media_store import MediaCollector, MediaStore
from service.ports.prompt_tools import PromptTools
from service.ports.work_list import Claim, ProgressBoard
from service.processes.backoff import backoff_seconds
from service.processes.breaker import Breaker


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often things are tried. All in seconds."""

    first_look_seconds: float = 1.0
    most_look_seconds: float = 10.0
    first_retry_seconds: float = 1.0
    most_retry_seconds: float = 30.0
    submit_timeout_seconds: float = 30.0
    media_patience_seconds: float = 60.0
    """How long an output that the vendor announced is tried to be fetched, before the others go without it."""
    expire_timeout_seconds: float = 10.0
    """How long an overdue generation may still talk to the vendor before it is paid back."""


@dataclass(frozen=True, kw_only=True)
class Toolbox:
    generations: Generations
    catalog: Catalog
    provider: MediaProvider
    prompt_tools: PromptTools
    collector: MediaCollector
    media: MediaStore
    progress: ProgressBoard
    breaker: Breaker
    clock: Clock
    policy: Policy
    pace: Pace
    source: random.Random
    webhook_url_for: Callable[[str], str]
    """The address the vendor reports to, from a generation's id; empty for none."""
    context: Context
    ready_since: MutableMapping[str, datetime] = field(default_factory=lambda: LRUCache(10_000))
    """When this worker first saw that the vendor had finished, by generation. Only patience hangs on it, so it is
    bounded: other workers end generations that this one has seen."""

    def in_seconds(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)

    def seconds_left(self, state: Generation) -> float:
        """Until the deadline: what may be spent on a call that can be given up. Never less than a moment."""
        deadline_at = state.deadline_at or self.clock.now()
        return max((deadline_at - self.clock.now()).total_seconds(), 0.05)

    def next_look(self, claim: Claim) -> datetime:
        pace = self.pace
        return self.in_seconds(
            backoff_seconds(
                claim.attempt,
                self.source,
                first_seconds=pace.first_look_seconds,
                most_seconds=pace.most_look_seconds,
                factor=1.3,
            )
        )

    def next_retry(self, attempt: int) -> datetime:
        pace = self.pace
        return self.in_seconds(
            backoff_seconds(
                attempt,
                self.source,
                first_seconds=pace.first_retry_seconds,
                most_seconds=pace.most_retry_seconds,
            )
        )


def within_deadline(moment: datetime, state: Generation) -> datetime:
    """``moment``, but never later than the generation's deadline: that has to be kept whatever else waits."""
    return moment if state.deadline_at is None else min(moment, state.deadline_at)
