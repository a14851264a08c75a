"""The worker: claims generations that are due, takes each as far as it goes, gives it back.

Many generations are in hand at once, each in its own task. Leases are renewed while their tasks run. A lease that is
lost stops nothing: the step goes on, because stopping in the middle of a submit would drop a paid job; whoever else
took the generation meets us at the event store, where one of us wins.

Calls that hang can fill every place there is. A few more are kept for generations past their deadline, so that
credits come back in time also then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from service.ports.work_list import Claim, WorkList
from service.processes.steps import Rest, advance
from service.processes.toolbox import Toolbox

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    name: str
    """Unique among all workers; holds the leases."""
    concurrency: int = 32
    overdue_reserve: int = 8
    """Further places, used only while all others are taken, and only for what is past its deadline."""
    lease_seconds: float = 30.0
    idle_wait_seconds: float = 1.0
    stop_timeout_seconds: float = 25.0


class Worker:
    def __init__(self, tools: Toolbox, work_list: WorkList, options: WorkerOptions) -> None:
        self._tools = tools
        self._work_list = work_list
        self._options = options
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()

    @property
    def in_hand(self) -> int:
        """How many generations are being worked on now."""
        return len(self._tasks)

    def stop(self) -> None:
        """Asks ``run`` to return; what is in hand goes no further than the step that it is in."""
        self._stopping.set()
        self._freed.set()

    async def run(self) -> None:
        """Works until ``stop``. Then what is in hand gets ``stop_timeout_seconds`` to finish its step; what does
        not is abandoned as by a crash, which is safe, and given back for the next worker."""
        renewing = asyncio.create_task(self._renew_leases(), name="renew-leases")
        try:
            failures = 0
            while not self._stopping.is_set():
                try:
                    await self._fill()
                    failures = 0
                except Exception as error:
                    failures += 1
                    # The database is away: everything in hand keeps its own counsel; we come back. An outage has
                    # many of these, and where the first one came from says it for all.
                    log.error("claim_failed", worker=self._options.name, error=str(error), exc_info=failures == 1)
                    await asyncio.sleep(min(0.2 * 2 ** min(failures, 5), 5.0))
            await self._drain()
        finally:
            renewing.cancel()
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(renewing, *self._tasks.values(), return_exceptions=True)

    async def _fill(self) -> None:
        full = len(self._tasks) >= self._options.concurrency
        free = self._options.concurrency + (self._options.overdue_reserve if full else 0) - len(self._tasks)
        self._freed.clear()
        claims: Sequence[Claim] = ()
        if free > 0:
            claims = await self._work_list.claim(
                self._options.name,
                limit=free,
                lease_seconds=self._options.lease_seconds,
                now=self._tools.clock.now(),
                overdue_only=full,
            )
        for claim in claims:
            # A lease of ours that ran out while its task still works comes back here: leave it to that task.
            if claim.generation_id not in self._tasks:
                task = asyncio.create_task(self._handle(claim), name=f"generation-{claim.generation_id}")
                self._tasks[claim.generation_id] = task
        if self._stopping.is_set():
            return
        if full:
            await self._wait_for_a_place()
        elif not claims:
            await self._work_list.wait_for_work(timeout_seconds=self._options.idle_wait_seconds)

    async def _wait_for_a_place(self) -> None:
        try:
            async with asyncio.timeout(self._options.idle_wait_seconds):
                await self._freed.wait()
        except TimeoutError:
            return  # Time to see what has come to its deadline.

    async def _handle(self, claim: Claim) -> None:
        try:
            # One that has ended leaves the list as soon as the list has seen it. Until then it is not due at once:
            # a list that is behind, or stands still, would hand it out again and again.
            rest = await self._advance(claim) or Rest(self._tools.next_retry(claim.attempt))
            await self._work_list.release(
                self._options.name, claim.generation_id, due_at=rest.due_at, seen_position=rest.seen_position
            )
        except Exception:
            # The lease runs out by itself; the next worker reads the events and goes on.
            log.exception("release_failed", generation_id=claim.generation_id)
        finally:
            self._tasks.pop(claim.generation_id, None)
            self._freed.set()

    async def _advance(self, claim: Claim) -> Rest | None:
        try:
            return await advance(self._tools, claim, is_stopping=self._stopping.is_set)
        except Exception:
            log.exception("step_failed", generation_id=claim.generation_id, attempt=claim.attempt)
            return Rest(self._tools.next_retry(claim.attempt))

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(self._options.lease_seconds / 3)
            held: Sequence[str] = tuple(self._tasks)
            if not held:
                continue
            try:
                kept = await self._work_list.renew(
                    self._options.name,
                    held,
                    lease_seconds=self._options.lease_seconds,
                    now=self._tools.clock.now(),
                )
            except Exception:
                log.exception("renew_failed", worker=self._options.name)
                continue
            lost = [each for each in held if each not in kept and each in self._tasks]
            if lost:
                log.warning("leases_lost", worker=self._options.name, generation_ids=lost)

    async def _drain(self) -> None:
        if not self._tasks:
            return
        await asyncio.wait(self._tasks.values(), timeout=self._options.stop_timeout_seconds)
        abandoned = dict(self._tasks)
        for task in abandoned.values():
            task.cancel()
        await asyncio.gather(*abandoned.values(), return_exceptions=True)
        for generation_id in abandoned:
            try:
                await self._work_list.release(self._options.name, generation_id, due_at=self._tools.clock.now())
            except Exception as error:  # noqa: BLE001 - the database is away: the leases run out by themselves
                log.warning("give_back_failed", worker=self._options.name, error=str(error))
                return
