"""Accounts and ledgers, over a real database: given events, then these entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.ports.read_models import AccountRow, LedgerRow
from service.projections.credits import CREDITS
from service.projections.runner import RunnerOptions
from tests.support.appending import append
from tests.support.history import History
from tests.support.read_models import ReadModels, running_read_models
from tests.support.samples import (
    GENERATION_ID,
    NOW,
    USER,
    debited,
    failed,
    granted,
    refunded,
    refunded_by_hand,
    requested,
    succeeded,
)


@pytest.fixture(params=[1, 1000], ids=["event by event", "in batches"])
async def models(request: pytest.FixtureRequest, database: str) -> AsyncIterator[ReadModels]:
    """A batch may end anywhere, also between a debit and its request."""
    store = MemoryEventStore(now=lambda: NOW)
    options = RunnerOptions(batch_size=request.param, retry_seconds=0.05)
    async with running_read_models(database, store, projections=[CREDITS], options=options) as models:
        yield models


async def statement(models: ReadModels, user: str) -> Sequence[LedgerRow]:
    await models.caught_up(["credits"])
    return (await models.credits.ledger(user, before_entry_number=0, limit=1000)).entries


async def test_the_statement_has_signed_amounts_and_the_balance_after_each(models: ReadModels) -> None:
    await append(models.store, granted(100, note="welcome"))
    await append(models.store, debited(20), requested())
    await append(models.store, refunded(10, "undelivered"), succeeded(2, 10))
    await append(models.store, refunded_by_hand(10))
    entries = await statement(models, USER)
    assert [(each.entry_number, each.kind, each.amount, each.balance_after) for each in entries] == [
        (4, "refund", 10, 100),
        (3, "refund", 10, 90),
        (2, "debit", -20, 80),
        (1, "grant", 100, 100),
    ]
    assert [each.generation_type for each in entries] == ["imagen4", "imagen4", "imagen4", ""]
    assert [each.cause for each in entries] == ["manual", "undelivered", "", ""]
    assert [each.generation_id for each in entries] == [GENERATION_ID] * 3 + [""]
    assert (entries[3].grant_id, entries[3].note, entries[3].actor) == ("grant-1", "welcome", "billing")
    assert entries[0].actor == refunded_by_hand(10).actor
    account, position = await models.credits.account(USER)
    assert account == AccountRow(
        user_id=USER, balance=100, granted=100, debited=20, refunded=20, update_position=position
    )


async def test_a_failed_generations_refund_says_why(models: ReadModels) -> None:
    await append(models.store, granted(100))
    await append(models.store, debited(20), requested())
    await append(models.store, refunded(20, "failed", "timed_out"), failed())
    newest = (await statement(models, USER))[0]
    assert (newest.cause, newest.failure_reason, newest.generation_type) == ("failed", "timed_out", "imagen4")


async def test_an_account_nobody_has_written_to_is_empty(models: ReadModels) -> None:
    account, _ = await models.credits.account("nobody")
    assert account == AccountRow(user_id="nobody", balance=0, granted=0, debited=0, refunded=0, update_position=0)
    page = await models.credits.ledger("nobody", before_entry_number=0, limit=10)
    assert (page.entries, page.next_entry_number, page.has_next) == ((), 0, False)


async def test_any_history_agrees_with_the_domain(models: ReadModels) -> None:
    history = History(seed=6, users=3)
    await history.append_to(models.store, appends=250)
    for user in history.users:
        entries = list(reversed(await statement(models, user)))
        account, _ = await models.credits.account(user)
        assert (
            account.balance == history.accounts[user].balance == account.granted - account.debited + account.refunded
        )
        assert [each.entry_number for each in entries] == list(range(1, len(entries) + 1))
        balance = 0
        for each in entries:
            balance += each.amount
            assert each.balance_after == balance >= 0
            generation = history.generations.get(each.generation_id)
            asked = generation.asked if generation is not None else None
            assert each.generation_type == (asked.generation_type if asked is not None else "")


async def test_pages_of_the_ledger_are_the_ledger(models: ReadModels) -> None:
    history = History(seed=7, users=1)
    user = history.users[0]
    await history.append_to(models.store, appends=60)
    expected = list(await statement(models, user))
    found: list[LedgerRow] = []
    before = 0
    for _ in range(1000):
        page = await models.credits.ledger(user, before_entry_number=before, limit=3)
        found += page.entries
        assert page.has_previous == (before > 0)
        assert page.has_next == (page.next_entry_number > 0)
        before = page.next_entry_number
        if not before:
            break
    assert found == expected
