"""A worker's toolbox over the memory store, with a vendor, prompt tools and media that do as a test tells them.

Time is virtual: ``@virtually`` runs an async test on a loop whose clock jumps, so waiting costs nothing.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

import structlog

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.memory_work_list import MemoryWorkList
from service.application.execute import Context, Executor
from service.application.generations import Generations
from service.application.reports import Reports
from service.domain.account import CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.decider import DomainEvent
from service.domain.fulfilment import Policy
from service.domain.generation.events import GenerationRequested
from service.domain.generation.state import Generation
from service.domain.ids import account_stream, generation_stream
from service.ports.event_store import NewEvent, StreamWrite
from service.ports.media_provider import CancelVerdict, LookOutcome, SubmitOutcome, SubmitRequest, Waiting
from service.ports.media_store import CollectedOutput, MediaStore
from service.ports.prompt_tools import ImprovedPrompt, ImprovementRefused, ModerationVerdict, ToolUnavailable
from service.ports.work_list import Claim
from service.processes.breaker import Breaker
from service.processes.steps import advance
from service.processes.toolbox import Pace, Toolbox
from tests.simulation.loop import EPOCH, LoopClock, VirtualLoop, run_virtually
from tests.support.samples import CATALOG, GENERATION_ID, NOW, USER, media

Test = Callable[[], Coroutine[Any, Any, None]]
CLAIM = Claim(GENERATION_ID, USER, 1, 0)


def virtually(test: Test) -> Callable[[], None]:
    """Runs an async test on virtual time. Its log lines are dropped: rendering them would take all the time."""

    @functools.wraps(test)
    def run() -> None:
        with structlog.testing.capture_logs():
            run_virtually(lambda _loop: test(), seed=test.__name__)

    return run


@dataclass
class ScriptedVendor:
    """``looks`` and ``verdicts`` are taken from the front, the last one again and again."""

    on_submit: Callable[[SubmitRequest], Awaitable[SubmitOutcome]] | None = None
    looks: list[LookOutcome] = field(default_factory=lambda: [Waiting()])
    verdicts: list[CancelVerdict] = field(default_factory=lambda: ["cancelled"])
    submits: list[SubmitRequest] = field(default_factory=list)
    cancels: list[tuple[str, bool]] = field(default_factory=list)
    """``(provider_request_id, force)``."""
    name: str = "scripted"

    async def submit(self, request: SubmitRequest) -> SubmitOutcome:
        self.submits.append(request)
        assert self.on_submit is not None, "this test expects no submit"
        return await self.on_submit(request)

    async def look(self, model: str, provider_request_id: str) -> LookOutcome:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def cancel(self, model: str, provider_request_id: str, *, force: bool = False) -> CancelVerdict:
        self.cancels.append((provider_request_id, force))
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]


@dataclass
class ScriptedTools:
    verdict: ModerationVerdict | ToolUnavailable = field(default_factory=lambda: ModerationVerdict(allowed=True))
    improved: ImprovedPrompt | ImprovementRefused | ToolUnavailable = field(
        default_factory=lambda: ImprovedPrompt("better words", "model")
    )
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """Happens while the moderation thinks."""

    async def moderate(self, prompt: str, *, user_id: str) -> ModerationVerdict | ToolUnavailable:
        if self.meanwhile is not None:
            await self.meanwhile()
        return self.verdict

    async def improve(
        self, prompt: str, *, generation_type: str, user_id: str
    ) -> ImprovedPrompt | ImprovementRefused | ToolUnavailable:
        return self.improved


@dataclass
class ScriptedMedia:
    """Collects everything, or does what ``instead`` does for a url."""

    instead: dict[str, Callable[[], Awaitable[CollectedOutput]]] = field(default_factory=dict)

    async def collect(self, url: str, *, generation_id: str, index: int) -> CollectedOutput:
        if url in self.instead:
            return await self.instead[url]()
        return CollectedOutput(kind="image", media=media(), thumbnail=media("thumbnail-0.webp"))

    async def report(self, generation_id: str, *, queue_position: int | None, log_line: str) -> None:
        """The progress board, too: nothing is decided on it."""


class Bench:
    """Made inside a ``@virtually`` test. The clock starts at the samples' ``NOW``."""

    def __init__(self, *, policy: Policy | None = None, pace: Pace | None = None) -> None:
        self.loop = cast(VirtualLoop, asyncio.get_running_loop())
        self.clock = LoopClock(self.loop, skew_seconds=(NOW - EPOCH).total_seconds())
        self.vendor = ScriptedVendor()
        self.prompt_tools = ScriptedTools()
        self.media = ScriptedMedia()
        self.store = MemoryEventStore(now=self.clock.now)
        self.work_list = MemoryWorkList(self.clock, self.store)
        self.executor = Executor(self.store, source=random.Random(1))
        store_of_references = cast(MediaStore, self.media)  # no test here asks for a reference
        self.generations = Generations(self.executor, CATALOG, store_of_references, self.clock)
        self.reports = Reports(self.generations, self.work_list, self.clock)
        self.tools = Toolbox(
            generations=self.generations,
            catalog=CATALOG,
            provider=self.vendor,
            prompt_tools=self.prompt_tools,
            collector=self.media,
            media=store_of_references,
            progress=self.media,
            breaker=Breaker("scripted", now=self.clock.now, source=random.Random(2)),
            clock=self.clock,
            policy=policy or Policy(),
            pace=pace or Pace(),
            source=random.Random(3),
            webhook_url_for=lambda generation_id: "",
            context=Context(actor="worker-1"),
        )

    async def happened(self, *history: DomainEvent) -> Generation:
        """Writes history into the streams it belongs to; the generation after it."""
        for event in history:
            of_account = isinstance(event, CreditsGranted | CreditsDebited | CreditsRefunded)
            stream = account_stream(USER) if of_account else generation_stream(GENERATION_ID)
            version = len(await self.store.read_stream(stream))
            new = NewEvent(uuid4(), event)  # type: ignore[arg-type]
            await self.store.append([StreamWrite(stream, version, (new,))])
        return await self.generations.load(GENERATION_ID)

    async def paid(self, debit: CreditsDebited, request: GenerationRequested) -> None:
        """Writes a further request of the user, whichever its generation is."""
        version = len(await self.store.read_stream(account_stream(USER)))
        await self.store.append(
            [
                StreamWrite(account_stream(USER), version, (NewEvent(uuid4(), debit),)),
                StreamWrite(generation_stream(request.generation_id), 0, (NewEvent(uuid4(), request),)),
            ]
        )

    async def advance(self) -> datetime | None:
        """A worker's turn with the generation; when it is due again, None when it has ended."""
        rest = await advance(self.tools, CLAIM)
        return None if rest is None else rest.due_at

    async def log(self, *, after: int = 0) -> Sequence[DomainEvent]:
        """The events after a position."""
        return [each.event async for batch in self.store.read_all(after=after) for each in batch]
