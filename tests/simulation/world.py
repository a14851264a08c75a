"""A run: everything is put together, lives through its chaos, comes to rest, and is held against its promises."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.memory_work_list import MemoryWorkList
from service.application.due import DUE_EVENT_TYPES
from service.domain.errors import NotFound
from service.domain.generation.events import EndEvent, GenerationRequested
from service.ports.event_store import RecordedEvent
from tests.simulation.fleet import Fleet, Parts
from tests.simulation.invariants import Facts, problems_of
from tests.simulation.lines import WorkListDown
from tests.simulation.loop import EPOCH, LoopClock, VirtualLoop, run_virtually
from tests.simulation.tools import SimulatedMedia, SimulatedPromptTools
from tests.simulation.trace import Trace
from tests.simulation.users import PASSING, Users
from tests.simulation.vendor import Vendor
from tests.simulation.weather import CHAOS_SECONDS, draw_weather

BOUND_SECONDS = 60.0
"""How long after its deadline, or after the chaos, a generation may still run."""
LIMIT_SECONDS = CHAOS_SECONDS + 90.0 + 2 * BOUND_SECONDS
"""Of a run, chaos, longest deadline and bound included."""
REST_SECONDS = 30.0
"""How long a run goes on after everything has ended, so that late things can do their harm."""


@dataclass
class Report:
    """What came of a seed."""

    seed: int
    problems: list[str]
    counts: dict[str, int]
    digest: str
    story: list[str]


class World:
    def __init__(self, seed: int, loop: VirtualLoop, *, keep_story: bool) -> None:
        self.seed = seed
        self.loop = loop
        self.trace = Trace(loop, keep=keep_story)
        self.weather = draw_weather(self.source("weather"))
        self.defects: list[str] = []
        self.store = MemoryEventStore(now=loop.now)
        clock = LoopClock(loop)
        self._lagging = self.source("lag").random() < 0.5
        self._work_list = MemoryWorkList(clock, None if self._lagging else self.store)
        self.vendor = Vendor(self, self._deliver)
        self.media = SimulatedMedia(self, self.vendor)
        parts = Parts(
            store=self.store,
            work_list=self._work_list,
            vendor=self.vendor,
            prompt_tools=SimulatedPromptTools(self),
            media=self.media,
        )
        self._fleet = Fleet(self, parts, self.defects.append)
        self._users = Users(self, self.store, self._fleet)
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._open: dict[str, None] = {}
        self._requested = 0
        self._seen = asyncio.Event()

    def source(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/{name}")

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.defects.append(f"the simulation itself: {type(error).__name__}: {error}")

    async def run(self) -> Report:
        self.loop.set_exception_handler(lambda _loop, context: self.defects.append(str(context["message"])))
        self.background(self._follow())
        if self._lagging:
            self.background(self._project())
        self._fleet.start()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._live()
                await self._everything_ended()
            await asyncio.sleep(max(REST_SECONDS, CHAOS_SECONDS - self.loop.time()))
        except TimeoutError:
            self.trace.tell("limit", f"still open: {', '.join(self._open)}")
        return await self._report()

    async def _live(self) -> None:
        try:
            await self._users.live()
        except ExceptionGroup as answers:
            # Nothing that a caller has to reckon with: a defect of the core, or of the mutation that is tried.
            self.defects += [f"a user was answered with {answer!r}" for answer in answers.exceptions]

    async def _everything_ended(self) -> None:
        while self._open:
            self._seen.clear()
            await self._seen.wait()

    async def _follow(self) -> None:
        """Keeps in mind what has not ended."""
        async for batch in self.store.subscribe():
            for recorded in batch.events:
                if isinstance(recorded.event, GenerationRequested):
                    self._open[recorded.event.generation_id] = None
                elif isinstance(recorded.event, EndEvent):
                    self._open.pop(recorded.event.generation_id, None)
            self._seen.set()

    async def _project(self) -> None:
        """Feeds the work list, some time after the events: a projection is behind the log."""
        source = self.source("projection")
        async for batch in self.store.subscribe(types=DUE_EVENT_TYPES, batch_size=source.choice((1, 3, 100))):
            await asyncio.sleep(source.expovariate(2.0) if source.random() < 0.3 else 0.0)
            self._work_list.apply(batch.events)

    async def _deliver(self, generation_id: str, provider_request_id: str, status: str) -> None:
        """A webhook on its way: the vendor tries a few times, then it is lost."""
        source = self.source(f"webhook/{provider_request_id}/{self.loop.time()}")
        for _ in range(5):
            try:
                api = self._fleet.api()
                async with asyncio.timeout(10):
                    await api.process.call(
                        lambda api=api: api.reports.receive(  # type: ignore[misc]
                            generation_id, provider_request_id=provider_request_id, vendor_status=status
                        )
                    )
                return
            except (*PASSING, WorkListDown):
                await asyncio.sleep(source.uniform(0.1, 5))
            except NotFound as error:
                self.defects.append(f"a webhook for what is not there: {error}")
                return

    async def _report(self) -> Report:
        self._fleet.close()
        for task in list(self._tasks):
            task.cancel()
        log: list[RecordedEvent] = [each async for batch in self.store.read_all() for each in batch]
        facts = Facts(
            log=log,
            promises=self._users.promises,
            vendor=self.vendor,
            kept=self.media.kept,
            now=self.loop.now(),
            end_by=self._end_by,
        )
        problems = [*self.defects, *problems_of(facts)]
        for problem in problems:
            self.trace.tell("PROBLEM", problem)
        self.trace.counts["generation"] = sum(isinstance(each.event, GenerationRequested) for each in log)
        return Report(self.seed, problems, dict(self.trace.counts), self.trace.digest, self.trace.lines)

    def _end_by(self, deadline_at: datetime) -> datetime:
        calm_at = EPOCH + timedelta(seconds=CHAOS_SECONDS)
        return max(deadline_at, calm_at) + timedelta(seconds=BOUND_SECONDS)


def run_seed(seed: int, *, keep_story: bool = False) -> Report:
    """One run from beginning to end. The same seed gives the same report."""

    async def main(loop: VirtualLoop) -> Report:
        world = World(seed, loop, keep_story=keep_story)
        with world.trace.with_logs():
            return await world.run()

    return run_virtually(main, seed=str(seed))
