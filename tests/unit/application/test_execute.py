"""Load, fold, decide, append: over the memory store, with a second process and a network in between.

``Line`` is the way to the store: it counts what passes, lets another process write first, and loses answers.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID, uuid4

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.execute import Context, Executor, Outcome
from service.application.generations import account_ref, generation_ref
from service.domain.account import Account, CreditsGranted, debit, grant
from service.domain.decider import DomainEvent
from service.domain.errors import Conflict, InsufficientCredits
from service.domain.generation.state import Generation, Phase
from service.ports.event_store import Batch, EventStoreUnavailable, StreamWrite
from tests.support.bench import virtually
from tests.support.samples import GENERATION_ID, USER, debited, requested

CONTEXT = Context(actor="bot", correlation_id="c-1")
ACCOUNT_STREAM = f"account-{USER}"


class Line(MemoryEventStore):
    """The store as one process reaches it. Queued ``faults`` happen one an append, oldest first."""

    def __init__(self, store: MemoryEventStore) -> None:
        super().__init__()
        self.store = store
        self.reads: list[str] = []
        self.appended_ids: list[tuple[UUID, ...]] = []
        self.faults: list[Callable[[Sequence[StreamWrite]], Awaitable[int | None]]] = []

    async def append(self, writes: Sequence[StreamWrite]) -> int:
        self.appended_ids.append(tuple(new.event_id for write in writes for new in write.events))
        if self.faults and (position := await self.faults.pop(0)(writes)) is not None:
            return position
        return await self.store.append(writes)

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        self.reads.append(stream)
        return await self.store.read_stream(stream, after_version=after_version, limit=limit)

    async def unreachable(self, writes: Sequence[StreamWrite]) -> int | None:
        raise EventStoreUnavailable("connection refused")

    async def answer_lost(self, writes: Sequence[StreamWrite]) -> int | None:
        await self.store.append(writes)
        raise EventStoreUnavailable("connection reset")


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


def executor(store: MemoryEventStore) -> Executor:
    return Executor(store, max_attempts=4, source=random.Random(1))


async def give(process: Executor, credits: int, grant_id: str = "") -> Outcome[Account]:
    name = grant_id or f"grant-{uuid4().hex}"
    return await process.run(
        account_ref(USER),
        lambda account: grant(account, user_id=USER, grant_id=name, credits=credits, note="", actor=""),
        CONTEXT,
    )


async def spend(process: Executor, credits: int) -> Outcome[Account]:
    return await process.run(
        account_ref(USER),
        lambda account: debit(account, user_id=USER, generation_id=GENERATION_ID, credits=credits),
        CONTEXT,
    )


async def logged(store: MemoryEventStore, stream: str = ACCOUNT_STREAM) -> list[DomainEvent]:
    return [each.event for each in await store.read_stream(stream)]


async def test_a_command_on_a_known_stream_is_one_append_and_no_read(store: MemoryEventStore) -> None:
    line = Line(store)
    process = executor(line)
    await give(process, 10)
    line.reads.clear()
    outcome = await give(process, 5)
    assert (outcome.state.balance, outcome.position, outcome.changed) == (15, 2, True)
    assert line.reads == []


async def test_a_stream_that_should_be_new_is_not_read(store: MemoryEventStore) -> None:
    line = Line(store)
    process = executor(line)
    await give(process, 20)
    line.reads.clear()
    account, generation = await process.run_both(
        account_ref(USER),
        generation_ref(GENERATION_ID, expected_new=True),
        lambda _account, _generation: ([debited()], [requested()]),
        CONTEXT,
    )
    assert line.reads == []
    assert account.state.balance == 0
    assert generation.state.phase is Phase.REQUESTED
    assert await logged(store, generation_ref(GENERATION_ID).stream) == [requested()]


async def test_a_stream_wrongly_guessed_new_is_read_and_decided_again(store: MemoryEventStore) -> None:
    ref = generation_ref(GENERATION_ID, expected_new=True)
    await executor(store).run(ref, lambda _state: [requested()], CONTEXT)
    seen: list[Phase] = []

    def decide(state: Generation) -> list[DomainEvent]:
        seen.append(state.phase)
        return [requested()] if seen[-1] is Phase.ABSENT else []

    outcome = await executor(store).run(ref, decide, CONTEXT)
    assert seen == [Phase.ABSENT, Phase.REQUESTED]
    assert not outcome.changed
    assert outcome.position == 1


async def test_a_conflict_is_decided_again_on_what_the_other_wrote(store: MemoryEventStore) -> None:
    ours, theirs = executor(store), executor(store)
    await give(ours, 10)
    await give(theirs, 7)
    outcome = await give(ours, 5)
    assert outcome.state.balance == 22
    assert len(await logged(store)) == 3


async def test_a_refusal_on_a_stale_state_is_not_final(store: MemoryEventStore) -> None:
    ours, theirs = executor(store), executor(store)
    await give(ours, 10)
    await give(theirs, 90)
    assert (await spend(ours, 100)).state.balance == 0


async def test_a_refusal_on_a_fresh_state_is(store: MemoryEventStore) -> None:
    process = executor(store)
    await give(process, 10)
    with pytest.raises(InsufficientCredits) as caught:
        await spend(process, 11)
    assert (caught.value.balance, caught.value.price) == (10, 11)
    assert len(await logged(store)) == 1


async def test_nothing_to_do_on_a_stale_state_is_not_final_either(store: MemoryEventStore) -> None:
    ours, theirs = executor(store), executor(store)
    await give(ours, 10, "g-1")
    await give(theirs, 1, "g-2")
    outcome = await give(ours, 10, "g-1")
    assert not outcome.changed
    assert outcome.state.balance == 11
    assert outcome.position == 2


@virtually
async def test_a_lost_answer_is_repeated_with_the_same_ids_and_counts_once() -> None:
    store = MemoryEventStore()
    line = Line(store)
    process = executor(line)
    line.faults = [line.answer_lost, line.unreachable]
    outcome = await give(process, 10)
    assert outcome.state.balance == 10
    assert len(set(line.appended_ids)) == 1
    assert len(line.appended_ids) == 3
    assert len(await logged(store)) == 1


async def test_a_lost_answer_after_which_another_wrote_is_still_the_same_append(store: MemoryEventStore) -> None:
    line = Line(store)
    ours, theirs = executor(line), executor(store)

    async def lost_and_overtaken(writes: Sequence[StreamWrite]) -> int | None:
        await store.append(writes)
        await give(theirs, 7)
        raise EventStoreUnavailable("connection reset")

    line.faults = [lost_and_overtaken]
    assert (await give(ours, 10)).position == 1
    assert (await give(ours, 5)).state.balance == 22


@virtually
async def test_a_store_that_stays_away_is_given_up() -> None:
    store = MemoryEventStore()
    line = Line(store)
    process = executor(line)
    line.faults = [line.unreachable] * 4
    with pytest.raises(EventStoreUnavailable):
        await give(process, 10)
    assert len(line.appended_ids) == 4
    assert (await give(process, 10)).state.balance == 10


async def test_endless_conflicts_are_given_up_by_name(store: MemoryEventStore) -> None:
    line = Line(store)
    ours, theirs = executor(line), executor(store)
    await give(ours, 1)

    async def another_first(writes: Sequence[StreamWrite]) -> int | None:
        await give(theirs, 1)
        return None

    line.faults = [another_first] * 4
    with pytest.raises(Conflict) as caught:
        await give(ours, 1)
    assert caught.value.facts == {"stream": ACCOUNT_STREAM, "attempts": 4}
    assert sum(isinstance(event, CreditsGranted) for event in await logged(store)) == 5


async def test_commands_of_one_process_take_turns_and_never_conflict(store: MemoryEventStore) -> None:
    line = Line(store)
    process = executor(line)
    await asyncio.gather(*(give(process, 1) for _ in range(50)))
    assert len(line.appended_ids) == 50
    assert (await process.load(account_ref(USER))).state.balance == 50


async def test_many_processes_lose_no_update(store: MemoryEventStore) -> None:
    processes = [Executor(store, max_attempts=50, source=random.Random(n)) for n in range(4)]
    await asyncio.gather(*(give(process, 1) for process in processes for _ in range(10)))
    assert (await executor(store).load(account_ref(USER))).state.balance == 40


async def test_an_abandoned_command_leaves_the_cache_right(store: MemoryEventStore) -> None:
    line = Line(store)
    process = executor(line)
    appended = asyncio.Event()

    async def appended_then_silence(writes: Sequence[StreamWrite]) -> int | None:
        await store.append(writes)
        appended.set()
        return await asyncio.Future()

    line.faults = [appended_then_silence]
    abandoned = asyncio.create_task(give(process, 10))
    await asyncio.wait_for(appended.wait(), 30)
    abandoned.cancel()
    await asyncio.wait([abandoned])
    assert (await give(process, 5)).state.balance == 15


async def test_events_say_who_caused_them(store: MemoryEventStore) -> None:
    await give(executor(store), 10)
    [recorded] = await store.read_stream(ACCOUNT_STREAM)
    assert (recorded.metadata.actor, recorded.metadata.correlation_id) == ("bot", "c-1")
