"""The worker: what is due is taken as far as it goes; what fails is tried again; nothing is held for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from service.domain.account import CreditsDebited
from service.domain.generation import events as e
from service.domain.ids import generation_id_for
from service.ports.media_provider import Accepted, Completed, ProducedFile, SubmitOutcome, SubmitRequest
from service.ports.work_list import Claim
from service.processes.worker import Worker, WorkerOptions
from tests.support.bench import Bench, virtually
from tests.support.samples import DEADLINE, GENERATION_ID, USER, debited, granted, moderated, requested, succeeded

PAID = (granted(100), debited(), requested())
OPTIONS = WorkerOptions(name="worker-1", concurrency=2, lease_seconds=30)


async def accept(_request: SubmitRequest) -> SubmitOutcome:
    return Accepted("job-1")


async def recorded(bench: Bench, *types: str) -> None:
    """Returns when an event of one of these types is in the log."""
    async for batch in bench.store.subscribe(types=types):
        if batch.events:
            return


async def ended(bench: Bench) -> None:
    await recorded(bench, "GenerationSucceeded", "GenerationFailed")


async def stopped(worker: Worker, running: asyncio.Task[None]) -> None:
    worker.stop()
    await asyncio.wait_for(running, 60)


@virtually
async def test_a_request_becomes_pictures() -> None:
    bench = Bench()
    bench.vendor.on_submit = accept
    bench.vendor.looks = [Completed(tuple(ProducedFile(url=f"https://vendor.example/{n}") for n in range(4)))]
    worker = Worker(bench.tools, bench.work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await bench.happened(*PAID)
    await asyncio.wait_for(ended(bench), 60)
    await stopped(worker, running)
    assert (await bench.log())[-1] == succeeded(4)
    assert worker.in_hand == 0


class CountingList:
    """Counts claims; refuses the first ``failures`` of them."""

    def __init__(self, bench: Bench, failures: int = 0) -> None:
        self._list = bench.work_list
        self._failures = failures
        self.claims = 0
        self.claimed: list[str] = []

    async def claim(
        self, worker: str, *, limit: int, lease_seconds: float, now: datetime, overdue_only: bool = False
    ) -> Sequence[Claim]:
        self.claims += 1
        if self.claims <= self._failures:
            raise ConnectionError("the database is away")
        claims = await self._list.claim(
            worker, limit=limit, lease_seconds=lease_seconds, now=now, overdue_only=overdue_only
        )
        self.claimed += [claim.generation_id for claim in claims]
        return claims

    async def renew(
        self, worker: str, generation_ids: Sequence[str], *, lease_seconds: float, now: datetime
    ) -> set[str]:
        return await self._list.renew(worker, generation_ids, lease_seconds=lease_seconds, now=now)

    async def release(self, worker: str, generation_id: str, *, due_at: datetime, seen_position: int = 0) -> None:
        await self._list.release(worker, generation_id, due_at=due_at, seen_position=seen_position)

    async def wake(self, generation_id: str, now: datetime) -> None:
        await self._list.wake(generation_id, now)

    async def wait_for_work(self, *, timeout_seconds: float) -> None:
        await self._list.wait_for_work(timeout_seconds=timeout_seconds)


@virtually
async def test_a_database_that_is_away_for_hours_does_not_end_the_worker() -> None:
    bench = Bench()
    bench.vendor.on_submit = accept
    await bench.happened(*PAID)
    work_list = CountingList(bench, failures=2000)
    worker = Worker(bench.tools, work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(ended(bench), 20_000)
    await stopped(worker, running)
    assert (await bench.generations.load(GENERATION_ID)).failure_reason == "timed_out"


@virtually
async def test_what_has_ended_is_not_claimed_again_and_again_while_the_list_is_behind() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    behind = type(bench.work_list)(bench.clock)
    async for batch in bench.store.read_all():
        behind.apply(batch)
    bench.work_list = behind
    await bench.generations.cancel(
        user_id=requested().user_id, generation_id=GENERATION_ID, context=bench.tools.context
    )
    work_list = CountingList(bench)
    worker = Worker(bench.tools, work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(300)
    await stopped(worker, running)
    assert 1 <= len(work_list.claimed) <= 30


@virtually
async def test_a_step_that_fails_is_tried_again() -> None:
    bench = Bench()
    bench.vendor.on_submit = accept
    await bench.happened(*PAID)
    failures = iter([RuntimeError("a defect"), RuntimeError("another")])

    async def fail_twice() -> None:
        if (error := next(failures, None)) is not None:
            raise error

    bench.prompt_tools.meanwhile = fail_twice
    worker = Worker(bench.tools, bench.work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await recorded(bench, "GenerationSubmitted")
    await stopped(worker, running)


@virtually
async def test_a_long_step_keeps_its_lease() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    release = asyncio.Event()

    async def think() -> None:
        await release.wait()

    bench.prompt_tools.meanwhile = think
    bench.vendor.on_submit = accept
    worker = Worker(bench.tools, bench.work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(200)
    assert await bench.work_list.claim("worker-2", limit=9, lease_seconds=30, now=bench.clock.now()) == []
    release.set()
    await stopped(worker, running)


@virtually
async def test_after_a_submit_the_first_look_waits_for_its_time() -> None:
    """The worker's own events reach the list after its release, and are no reason to look at once."""
    bench = Bench()
    bench.vendor.on_submit = accept
    await bench.happened(*PAID)
    work_list = CountingList(bench)
    worker = Worker(bench.tools, work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await recorded(bench, "GenerationSubmitted")
    await asyncio.sleep(bench.tools.pace.first_look_seconds * 0.9)
    assert len(work_list.claimed) == 1
    await bench.generations.cancel(
        user_id=requested().user_id, generation_id=GENERATION_ID, context=bench.tools.context
    )
    await asyncio.sleep(0.1)
    assert bench.vendor.cancels == [("job-1", False)]
    await stopped(worker, running)


def other_request(number: int) -> tuple[CreditsDebited, e.GenerationRequested]:
    other = f"other-{number}"
    generation_id = generation_id_for(USER, other)
    change = msgspec.structs.replace
    return (
        change(debited(), generation_id=generation_id),
        change(requested(), generation_id=generation_id, request_id=other),
    )


@virtually
async def test_what_is_overdue_is_paid_back_while_every_place_is_taken_by_calls_that_hang() -> None:
    bench = Bench()
    bench.vendor.on_submit = accept
    await bench.happened(*PAID)
    for number in range(4):
        await bench.paid(*other_request(number))

    async def think() -> None:
        await asyncio.Event().wait()

    bench.prompt_tools.meanwhile = think
    worker = Worker(bench.tools, bench.work_list, replace(OPTIONS, overdue_reserve=1))
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(1)
    assert worker.in_hand == 2
    await asyncio.sleep((DEADLINE - bench.clock.now()).total_seconds() + 10)
    ends = [event for event in await bench.log() if isinstance(event, e.GenerationFailed)]
    assert len(ends) == 3
    assert worker.in_hand == 2
    await stopped(worker, running)


@virtually
async def test_a_stop_gives_back_at_once_what_does_not_come_to_rest() -> None:
    bench = Bench()
    await bench.happened(*PAID)

    async def think() -> None:
        await asyncio.Event().wait()

    bench.prompt_tools.meanwhile = think
    worker = Worker(bench.tools, bench.work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(5)
    await stopped(worker, running)
    [claim] = await bench.work_list.claim("worker-2", limit=9, lease_seconds=30, now=bench.clock.now())
    assert claim.generation_id == GENERATION_ID


@virtually
async def test_a_stop_waits_for_the_step_in_hand_and_begins_no_other() -> None:
    bench = Bench()
    await bench.happened(*PAID)
    thought = asyncio.Event()
    bench.prompt_tools.meanwhile = thought.wait
    worker = Worker(bench.tools, bench.work_list, OPTIONS)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(5)
    worker.stop()
    thought.set()
    await asyncio.wait_for(running, 60)
    assert (await bench.log())[-1] == moderated()
    assert bench.vendor.submits == []
    [claim] = await bench.work_list.claim("worker-2", limit=9, lease_seconds=30, now=bench.clock.now())
    assert claim.generation_id == GENERATION_ID
