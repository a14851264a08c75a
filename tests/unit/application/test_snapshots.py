"""Snapshots change nothing but the time it takes: they are used when they are right, and ignored otherwise."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.memory_snapshots import MemorySnapshots
from service.application.account_state import decode_account, encode_account
from service.application.execute import Context, Executor, Ref
from service.application.snapshots import CODECS, MOST_WAITING, Folded, Snapshots
from service.domain import account as accounts
from service.domain.account import ACCOUNT, Account
from service.domain.ids import account_stream
from service.ports.event_store import Batch
from service.ports.snapshots import Snapshot, SnapshotsUnavailable
from tests.support import strategies
from tests.support.history import History
from tests.support.log import read_all, until

CODEC = CODECS["account"]


class CountingStore(MemoryEventStore):
    """Counts the events that are read."""

    events_read = 0

    async def read_stream(self, stream: str, *, after_version: int = 0, limit: int = 1000) -> Batch:
        events = await super().read_stream(stream, after_version=after_version, limit=limit)
        self.events_read += len(events)
        return events


class Away(MemorySnapshots):
    """Cannot be reached."""

    asked = 0

    async def load(self, stream: str) -> Snapshot | None:
        self.asked += 1
        raise SnapshotsUnavailable("away")

    async def save(self, snapshot: Snapshot) -> None:
        self.asked += 1
        raise SnapshotsUnavailable("away")


def ref(user_id: str) -> Ref[Account]:
    return Ref(account_stream(user_id), ACCOUNT)


@asynccontextmanager
async def running(snapshots: Snapshots) -> AsyncIterator[Snapshots]:
    task = asyncio.create_task(snapshots.run())
    try:
        yield snapshots
    finally:
        task.cancel()
        await asyncio.wait([task])


async def grants(executor: Executor, count: int, user_id: str = "ann") -> None:
    for _ in range(count):
        await executor.run(
            ref(user_id),
            lambda state: accounts.grant(
                state, user_id=user_id, grant_id=f"grant-{len(state.grants)}", credits=1, note="", actor=""
            ),
            Context(),
        )


@given(st.lists(strategies.events(), max_size=30))
def test_account_comes_back_as_it_was(events: list[object]) -> None:
    state = ACCOUNT.fold(ACCOUNT.initial, events)  # type: ignore[arg-type]
    assert same(decode_account(encode_account(state)), state)


def same(one: Account, other: Account) -> bool:
    return all(getattr(one, field) == getattr(other, field) for field in ("user_id", "balance")) and all(
        dict(getattr(one, field)) == dict(getattr(other, field)) for field in ("charges", "grants")
    )


async def test_every_point_of_a_random_history_is_a_good_place_for_a_snapshot() -> None:
    store, kept = CountingStore(), MemorySnapshots()
    history = History(seed=31, users=2)
    chance = random.Random(32)
    for number in range(12):
        await history.append_to(store, appends=chance.randint(20, 80))
        snapshots = Snapshots(kept, store, spacing=1)
        for user_id in history.users:
            cold = Executor(store, snapshots=snapshots)
            assert same((await cold.load(ref(user_id))).state, history.accounts[user_id])
        if number % 2:
            await snapshots.keep_offered()
    assert kept.kept.keys() == {account_stream(user_id) for user_id in history.users}
    assert store.events_read < 12 * len(await read_all(store)) / 4


async def test_cold_start_of_a_long_account_reads_little() -> None:
    store, kept = CountingStore(), MemorySnapshots()
    snapshots = Snapshots(kept, store)
    executor = Executor(store, snapshots=snapshots)
    for _ in range(45):
        await grants(executor, 10)
        await snapshots.keep_offered()
    assert kept.kept["account-ann"].version == 400
    store.events_read = 0
    cold = Executor(store, snapshots=Snapshots(kept, store))
    await grants(cold, 1)
    assert store.events_read <= 1 + 50
    assert (await cold.load(ref("ann"))).state.balance == 451


async def test_long_accounts_are_kept_in_proportion() -> None:
    saved: list[int] = []

    class Listed(MemorySnapshots):
        async def save(self, snapshot: Snapshot) -> None:
            saved.append(snapshot.version)
            await super().save(snapshot)

    store = MemoryEventStore()
    snapshots = Snapshots(Listed(), store, spacing=10)
    executor = Executor(store, snapshots=snapshots)
    for _ in range(400):
        await grants(executor, 1)
        await snapshots.keep_offered()
    assert saved[:11] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 111]
    assert all(later - earlier == max(10, later // 10) for earlier, later in pairwise(saved))


def _of_other_code(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, state_version="yesterday")


def _torn(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, state=snapshot.state[:-7])


def _of_another_shape(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, state=b'{"balance": "many"}')


def _of_another_log(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, event_id=uuid.UUID(int=1), state=_rich())


def _ahead_of_the_log(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, version=snapshot.version + 100, state=_rich())


def _rich() -> bytes:
    return encode_account(Account(user_id="ann", balance=10**6))


@pytest.mark.parametrize(
    "spoil",
    [_of_other_code, _torn, _of_another_shape, _of_another_log, _ahead_of_the_log],
    ids=lambda each: each.__name__,
)
async def test_what_cannot_be_believed_is_ignored(spoil: Callable[[Snapshot], Snapshot]) -> None:
    store, kept = CountingStore(), MemorySnapshots()
    snapshots = Snapshots(kept, store, spacing=20)
    await grants(Executor(store, snapshots=snapshots), 30)
    await snapshots.keep_offered()
    kept.kept["account-ann"] = spoil(kept.kept["account-ann"])
    cold = Executor(store, snapshots=Snapshots(kept, store))
    assert (await cold.load(ref("ann"))).state.balance == 30
    await grants(cold, 1)


async def test_commands_do_without_snapshots_that_are_away() -> None:
    store, away = MemoryEventStore(), Away()
    snapshots = Snapshots(away, store, spacing=1)
    for number in range(5):
        await grants(Executor(store, snapshots=snapshots), 3, user_id=f"user-{number}")
    assert away.asked == 1


async def test_what_is_offered_is_kept_in_the_background() -> None:
    store, kept = MemoryEventStore(), MemorySnapshots()
    async with running(Snapshots(kept, store, spacing=10)) as snapshots:
        await grants(Executor(store, snapshots=snapshots), 10)
        await until(lambda: "account-ann" in kept.kept)


async def test_snapshots_that_do_not_answer_cost_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(MemorySnapshots):
        async def load(self, stream: str) -> Snapshot | None:
            await asyncio.Event().wait()
            return None

    monkeypatch.setattr("service.application.snapshots.PATIENCE_SECONDS", 0.05)
    store = MemoryEventStore()
    executor = Executor(store, snapshots=Snapshots(Silent(), store))
    await grants(executor, 1)
    assert (await executor.load(ref("ann"))).state.balance == 1


async def test_offers_that_nobody_takes_are_bounded() -> None:
    snapshots = Snapshots(MemorySnapshots(), MemoryEventStore(), spacing=1)
    for number in range(3 * MOST_WAITING):
        snapshots.offer("account", f"account-{number}", Folded(Account(), 1, 1, uuid.UUID(int=number)))
    assert len(snapshots._waiting) == MOST_WAITING


def test_times_of_refunds_by_hand_come_back_with_their_zone() -> None:
    at = datetime.fromisoformat("2026-11-25T12:00:00.123456+00:00")
    refunded = accounts.CreditsRefunded(
        user_id="ann", generation_id="g", credits=5, cause="manual", actor="support", note="sorry", refunded_at=at
    )
    state = decode_account(encode_account(ACCOUNT.fold(ACCOUNT.initial, [refunded])))
    assert state.charges["g"].manual_at == at
