"""What every work list does, held against the one in PostgreSQL and the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.memory_work_list import MemoryWorkList
from service.domain.decider import DomainEvent
from service.domain.generation import events as e
from service.domain.ids import generation_id_for
from service.ports.work_list import Claim, WorkList
from service.projections.work_list import WORK_LIST
from tests.support.appending import append
from tests.support.history import History
from tests.support.read_models import running_read_models
from tests.support.samples import (
    GENERATION_ID,
    NOW,
    USER,
    after,
    cancellation_requested,
    failed,
    image,
    moderated,
    requested,
    submission_deferred,
    submission_started,
    submitted,
    succeeded,
)

LEASE_SECONDS = 30.0


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Bench:
    """A work list, the log that it follows, and a clock that stands still until it is told."""

    def __init__(self, store: MemoryEventStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.work_list: WorkList
        self.seen = 0

    async def settle(self) -> None:
        """Until the list has seen the whole log."""

    async def happened(self, *events: DomainEvent, at_seconds: float = 0) -> int:
        """Events that were recorded at that time, and are known to the list."""
        self.clock.time = after(at_seconds)
        position = await append(self.store, *events)
        await self.settle()
        return position

    async def claim(self, worker: str = "worker", *, at_seconds: float, limit: int = 10) -> list[Claim]:
        self.clock.time = after(at_seconds)
        claims = await self.work_list.claim(worker, limit=limit, lease_seconds=LEASE_SECONDS, now=after(at_seconds))
        return list(claims)

    async def is_due(self, *, at_seconds: float) -> bool:
        return bool(await self.claim(at_seconds=at_seconds))


@pytest.fixture(params=["memory", "postgres"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    clock = Clock()
    store = MemoryEventStore(now=clock.now)
    bench = Bench(store, clock)
    if request.param == "memory":
        bench.work_list = MemoryWorkList(clock, store)
        yield bench
        return
    database = request.getfixturevalue("database")
    async with running_read_models(database, store, projections=[WORK_LIST]) as models:

        async def settle() -> None:
            await models.caught_up(["work_list"])

        bench.work_list = models.work_list
        bench.settle = settle  # type: ignore[method-assign]
        yield bench


def another_request(number: int) -> e.GenerationRequested:
    return e.GenerationRequested(
        generation_id=generation_id_for(USER, f"another-{number}"),
        user_id=USER,
        request_id=f"another-{number}",
        asked=requested().asked,
        model="m",
        aspect_ratio="1:1",
        output_count=1,
        credits_per_output=5,
        requested_at=NOW,
        deadline_at=after(300),
    )


async def test_a_request_is_due_at_once(bench: Bench) -> None:
    position = await bench.happened(requested())
    assert await bench.claim(at_seconds=0) == [Claim(GENERATION_ID, USER, 1, position)]


async def test_nothing_is_due_before_it_was_recorded(bench: Bench) -> None:
    await bench.happened(requested(), at_seconds=10)
    assert await bench.claim(at_seconds=9) == []


async def test_a_leased_row_is_nobody_elses_until_the_lease_ends(bench: Bench) -> None:
    await bench.happened(requested())
    assert await bench.claim("first", at_seconds=1)
    assert await bench.claim("second", at_seconds=30) == []
    [claim] = await bench.claim("second", at_seconds=31)
    assert claim.attempt == 2


async def test_an_event_during_the_lease_does_not_end_it(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim("first", at_seconds=1)
    await bench.happened(moderated(), at_seconds=2)
    assert await bench.claim("second", at_seconds=3) == []


async def test_released_rows_come_back_when_the_worker_said(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim(at_seconds=1)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(10))
    assert await bench.claim(at_seconds=9.9) == []
    [claim] = await bench.claim(at_seconds=10)
    assert claim.attempt == 2


async def test_an_event_that_the_worker_has_not_seen_keeps_the_row_due(bench: Bench) -> None:
    await bench.happened(requested(), moderated(), submission_started(), submitted())
    await bench.claim(at_seconds=1)
    position = await bench.happened(cancellation_requested(), at_seconds=2)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60))
    [claim] = await bench.claim(at_seconds=3)
    assert claim == Claim(GENERATION_ID, USER, 1, position)


async def test_the_workers_own_event_does_not_make_the_row_due_again(bench: Bench) -> None:
    await bench.happened(requested(), moderated(), submission_started())
    await bench.claim(at_seconds=1)
    position = await bench.happened(submitted(), at_seconds=2)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60), seen_position=position)
    assert not await bench.is_due(at_seconds=59)
    assert await bench.is_due(at_seconds=60)


async def test_the_workers_own_event_may_reach_the_list_after_the_release(bench: Bench) -> None:
    await bench.happened(requested(), moderated(), submission_started())
    await bench.claim(at_seconds=1)
    coming = await bench.store.head() + 1
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60), seen_position=coming)
    assert await bench.happened(submitted(), at_seconds=2) == coming
    assert not await bench.is_due(at_seconds=59)
    assert await bench.is_due(at_seconds=60)


async def test_what_happens_after_the_release_makes_the_row_due(bench: Bench) -> None:
    position = await bench.happened(requested(), moderated(), submission_started(), submitted())
    await bench.claim(at_seconds=1)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60), seen_position=position)
    await bench.happened(cancellation_requested(), at_seconds=2)
    assert await bench.is_due(at_seconds=2)


async def test_a_wake_up_makes_a_waiting_row_due(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim(at_seconds=1)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60))
    await bench.work_list.wake(GENERATION_ID, after(5))
    assert not await bench.is_due(at_seconds=4)
    assert await bench.is_due(at_seconds=5)


async def test_a_wake_up_during_the_lease_outlasts_the_release(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim(at_seconds=1)
    await bench.work_list.wake(GENERATION_ID, after(5))
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60))
    assert await bench.is_due(at_seconds=6)


async def test_a_wake_up_is_spent_by_the_next_claim(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim(at_seconds=1)
    await bench.work_list.wake(GENERATION_ID, after(2))
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60))
    assert await bench.is_due(at_seconds=3)
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(60))
    assert not await bench.is_due(at_seconds=59)


async def test_waking_what_is_not_there_does_nothing(bench: Bench) -> None:
    await bench.work_list.wake(GENERATION_ID, NOW)
    assert await bench.claim(at_seconds=1) == []


async def test_a_deferred_submission_is_due_when_it_may_be_sent_again(bench: Bench) -> None:
    await bench.happened(requested(), moderated(), submission_started(), submission_deferred(retry_at_seconds=10))
    assert not await bench.is_due(at_seconds=9)
    assert await bench.is_due(at_seconds=10)


@pytest.mark.parametrize("end", [[succeeded(4)], [failed()], [image(0), succeeded(1)]])
async def test_an_end_takes_the_row_off_the_list(bench: Bench, end: list[DomainEvent]) -> None:
    await bench.happened(requested())
    await bench.claim(at_seconds=1)
    await bench.happened(*end, at_seconds=2)
    assert await bench.work_list.renew("worker", [GENERATION_ID], lease_seconds=60, now=after(3)) == set()
    await bench.work_list.release("worker", GENERATION_ID, due_at=after(4))
    assert not await bench.is_due(at_seconds=1000)


async def test_attempts_count_claims_since_the_last_event(bench: Bench) -> None:
    await bench.happened(requested())
    attempts = []
    for second in (1, 2, 3):
        [claim] = await bench.claim(at_seconds=second)
        attempts.append(claim.attempt)
        await bench.work_list.release("worker", GENERATION_ID, due_at=after(second + 1))
    await bench.happened(moderated(), at_seconds=4)
    [claim] = await bench.claim(at_seconds=5)
    assert [*attempts, claim.attempt] == [1, 2, 3, 1]


async def test_renewing_extends_only_ones_own_leases(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.happened(another_request(1), at_seconds=1)
    await bench.claim("first", at_seconds=1, limit=1)
    await bench.claim("second", at_seconds=1, limit=1)
    ids = [GENERATION_ID, another_request(1).generation_id]
    kept = await bench.work_list.renew("first", ids, lease_seconds=100, now=after(2))
    assert kept == {GENERATION_ID}
    [taken_over] = await bench.claim("third", at_seconds=60)
    assert taken_over.generation_id == another_request(1).generation_id
    assert await bench.claim("third", at_seconds=101, limit=1) != []


async def test_a_lease_that_was_lost_cannot_be_renewed_or_released(bench: Bench) -> None:
    await bench.happened(requested())
    await bench.claim("first", at_seconds=1)
    await bench.claim("second", at_seconds=40)
    assert await bench.work_list.renew("first", [GENERATION_ID], lease_seconds=60, now=after(41)) == set()
    await bench.work_list.release("first", GENERATION_ID, due_at=after(41))
    assert await bench.claim("third", at_seconds=42) == []


async def test_the_oldest_due_come_first_and_no_more_than_asked(bench: Bench) -> None:
    for number in range(5):
        await bench.happened(another_request(number))
    await bench.claim(at_seconds=1)
    for number in range(5):
        request = another_request(number)
        await bench.work_list.release("worker", request.generation_id, due_at=after(9 - number))
    claims = await bench.claim(at_seconds=10, limit=3)
    assert [each.generation_id for each in claims] == [another_request(each).generation_id for each in (4, 3, 2)]


async def test_every_row_goes_to_one_of_many_workers(bench: Bench) -> None:
    for number in range(60):
        await append(bench.store, another_request(number))
    await bench.settle()

    async def work(name: str) -> list[str]:
        mine: list[str] = []
        while claims := await bench.work_list.claim(name, limit=3, lease_seconds=600, now=after(1)):
            mine += [each.generation_id for each in claims]
        return mine

    shares = await asyncio.gather(*(work(f"worker-{number}") for number in range(8)))
    claimed = [each for share in shares for each in share]
    # A worker stops when all that is left is locked by others at that moment; theirs it is then.
    assert sorted(claimed) == sorted(another_request(number).generation_id for number in range(60))


async def test_waiting_ends_when_work_comes(bench: Bench) -> None:
    async def wait_and_claim() -> list[Claim]:
        async with asyncio.timeout(60):
            while not (claims := await bench.claim(at_seconds=0)):
                await bench.work_list.wait_for_work(timeout_seconds=30)
            return claims

    waiting = asyncio.create_task(wait_and_claim())
    await asyncio.sleep(0)
    await append(bench.store, requested())
    [claim] = await waiting
    assert claim.generation_id == GENERATION_ID


async def test_waiting_is_bounded(bench: Bench) -> None:
    async with asyncio.timeout(60):
        await bench.work_list.wait_for_work(timeout_seconds=0.01)


async def test_any_history_leaves_the_unfinished_on_the_list(bench: Bench) -> None:
    history = History(seed=11)
    await history.append_to(bench.store, appends=300)
    await bench.settle()
    unfinished = {each.generation_id for each in history.generations.values() if not each.ended}
    claims = await bench.claim(at_seconds=86_400, limit=1000)
    assert {each.generation_id for each in claims} == unfinished


async def test_what_is_overdue_can_be_claimed_alone(bench: Bench) -> None:
    await bench.happened(requested(), another_request(1))
    deadline_at = requested().deadline_at
    bench.clock.time = deadline_at
    earlier = deadline_at - timedelta(seconds=1)

    async def claim(now: datetime) -> list[str]:
        claims = await bench.work_list.claim(
            "worker", limit=10, lease_seconds=LEASE_SECONDS, now=now, overdue_only=True
        )
        return [each.generation_id for each in claims]

    assert await claim(earlier) == []
    overdue = {each.generation_id for each in (requested(), another_request(1)) if each.deadline_at <= deadline_at}
    assert set(await claim(deadline_at)) == overdue
    assert await claim(deadline_at) == []
