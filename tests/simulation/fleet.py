"""The processes of a run, wired as the composition root wires them, and started again after they die."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from service.application.credits import Credits
from service.application.curation import Curation
from service.application.execute import Context, Executor
from service.application.generations import Generations
from service.application.reports import Reports
from service.domain.catalog import Catalog, MediaType
from service.domain.fulfilment import Policy
from service.ports.event_store import EventStore
from service.ports.work_list import WorkList
from service.processes.breaker import Breaker
from service.processes.toolbox import Pace, Toolbox
from service.processes.worker import Worker, WorkerOptions
from tests.simulation.lines import StoreLine, Surroundings, WorkListLine
from tests.simulation.loop import LoopClock
from tests.simulation.process import LEASE_SECONDS, ConnectionLost, Process
from tests.simulation.tools import NoProgress, SimulatedMedia, SimulatedPromptTools
from tests.simulation.vendor import Vendor
from tests.simulation.weather import CHAOS_SECONDS

PACE = Pace(
    first_look_seconds=1.0,
    most_look_seconds=6.0,
    first_retry_seconds=0.5,
    most_retry_seconds=8.0,
    submit_timeout_seconds=4.0,
    media_patience_seconds=10.0,
    expire_timeout_seconds=6.0,
)


def _type(model: str, credits: int, most: int, deadline_seconds: int, *, needs_reference: bool = False) -> MediaType:
    return MediaType(
        title_ru="Тип",
        title_en="Type",
        icon="image",
        kind="image",
        model=model,
        credits_per_output=credits,
        max_outputs=most,
        aspect_ratios=("1:1",),
        deadline_seconds=deadline_seconds,
        needs_reference=needs_reference,
    )


CATALOG = Catalog(
    {
        "imagen4": _type("vendor/imagen4", 5, 4, 60),
        "avatar": _type("vendor/avatar", 10, 2, 90, needs_reference=True),
        "video": _type("vendor/video", 50, 1, 25),
    }
)


@dataclass(kw_only=True)
class Parts:
    """What all processes of a run share, as they would share servers."""

    store: EventStore
    work_list: WorkList
    vendor: Vendor
    prompt_tools: SimulatedPromptTools
    media: SimulatedMedia


class Api:
    """A process that takes calls: commands of services and users, and the vendor's webhooks."""

    def __init__(self, process: Process, world: Surroundings, parts: Parts, source: random.Random) -> None:
        self.process = process
        clock = LoopClock(process.loop, skew_seconds=source.uniform(-0.5, 0.5))
        executor = make_executor(process, world, parts, source)
        work_list = process.port("work_list", WorkListLine(world, parts.work_list, source))
        self.generations = Generations(executor, CATALOG, process.port("media", parts.media), clock)
        self.credits = Credits(executor, clock)
        self.curation = Curation(executor)
        self.reports = Reports(self.generations, work_list, clock)


def make_executor(process: Process, world: Surroundings, parts: Parts, source: random.Random) -> Executor:
    store = process.port("store", StoreLine(world, parts.store, source))
    return Executor(
        store,  # type: ignore[arg-type]  # the parts of the port that commands use
        cached_streams=source.choice((2, 5, 1000)),
        source=source,
        new_id=lambda: uuid.UUID(int=source.getrandbits(128), version=4),
    )


def make_worker(process: Process, world: Surroundings, parts: Parts, source: random.Random) -> Worker:
    clock = LoopClock(process.loop, skew_seconds=source.uniform(-0.5, 0.5))
    media = process.port("media", parts.media)
    tools = Toolbox(
        generations=Generations(make_executor(process, world, parts, source), CATALOG, media, clock),
        catalog=CATALOG,
        provider=process.port("vendor", parts.vendor),
        prompt_tools=process.port("prompt_tools", parts.prompt_tools),
        collector=media,
        media=media,
        progress=process.port("progress", NoProgress()),
        breaker=Breaker(parts.vendor.name, now=clock.now, source=source, most_cooldown_seconds=20.0),
        clock=clock,
        policy=Policy(grace_seconds=world.weather.grace_seconds, tool_patience_seconds=12.0, max_submit_attempts=5),
        pace=PACE,
        source=source,
        webhook_url_for=lambda generation_id: f"https://triptych.example/{generation_id}",
        context=Context(actor=process.name),
    )
    work_list = process.port("work_list", WorkListLine(world, parts.work_list, source))
    options = WorkerOptions(
        name=process.name,
        concurrency=source.choice((1, 3, 32)),
        lease_seconds=LEASE_SECONDS,
        stop_timeout_seconds=5.0,
    )
    return Worker(tools, work_list, options)


class Fleet:
    """Keeps as many of each kind running as the seed says."""

    def __init__(self, world: Surroundings, parts: Parts, on_defect: Callable[[str], None]) -> None:
        self._world = world
        self._parts = parts
        self._on_defect = on_defect
        self._source = world.source("fleet")
        self._apis: dict[str, Api] = {}
        self._processes: dict[str, Process] = {}
        self._births = 0
        self._closed = False

    def start(self) -> None:
        for number in range(self._source.choice((1, 2, 3))):
            self._start_api(f"api-{number}")
        for number in range(self._source.choice((1, 2, 3))):
            self._start_worker(f"worker-{number}")

    def close(self) -> None:
        self._closed = True
        for process in list(self._processes.values()):
            process.abandon()

    def api(self) -> Api:
        """Any API process that is up. Raises ConnectionLost when none is."""
        if not self._apis:
            raise ConnectionLost("no API process is up")
        return self._source.choice(list(self._apis.values()))

    def _new_process(self, kind: str, start_again: Callable[[str], None]) -> tuple[Process, random.Random]:
        self._births += 1
        name = f"{kind}.{self._births}"

        def on_death(_process: Process) -> None:
            self._apis.pop(name, None)
            self._processes.pop(name, None)
            self._world.background(self._start_later(kind, start_again))

        source = self._world.source(name)
        process = Process(
            name,
            loop=self._world.loop,
            weather=self._world.weather,
            source=source,
            trace=self._world.trace,
            on_death=on_death,
            on_defect=self._on_defect,
        )
        self._processes[name] = process
        return process, source

    async def _start_later(self, kind: str, start_again: Callable[[str], None]) -> None:
        await asyncio.sleep(self._source.uniform(0.1, 5.0))
        if not self._closed:
            start_again(kind)

    def _start_api(self, kind: str) -> None:
        process, source = self._new_process(kind, self._start_api)
        self._apis[process.name] = Api(process, self._world, self._parts, source)

    def _start_worker(self, kind: str) -> None:
        process, source = self._new_process(kind, self._start_worker)
        worker = make_worker(process, self._world, self._parts, source)
        process.spawn_service(self._work_until_stopped(process, worker, kind), "worker")
        if source.random() < 0.3:
            self._world.background(self._stop_sometime(worker, source.uniform(5, CHAOS_SECONDS)))

    async def _work_until_stopped(self, process: Process, worker: Worker, kind: str) -> None:
        """A deployment: it was asked to stop, did so by itself, and another one takes its place."""
        await worker.run()
        self._world.trace.tell("stop", process.name)
        self._processes.pop(process.name, None)
        self._world.background(self._start_later(kind, self._start_worker))

    async def _stop_sometime(self, worker: Worker, seconds: float) -> None:
        await asyncio.sleep(seconds)
        worker.stop()
