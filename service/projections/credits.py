"""Accounts and their ledgers.

Entries are numbered from 1 without gaps, each with the balance right after it. What a debit paid for is told by the
GenerationRequested that follows it in the same append, so the type is filled in when that comes, in this batch or
the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from psycopg import sql

from service.domain.account import CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.generation.events import GenerationRequested
from service.ports.event_store import RecordedEvent
from service.projections.projection import Connection, Projection
from service.projections.rows import fetch, insert_rows, select_rows, upsert_rows, write


class StoredAccount(msgspec.Struct):
    """The columns of ``accounts``."""

    user_id: str
    balance: int
    granted: int
    debited: int
    refunded: int
    entry_count: int
    update_position: int


class StoredEntry(msgspec.Struct, kw_only=True):
    """The columns of ``ledger``."""

    user_id: str
    entry_number: int
    position: int
    kind: str
    amount: int
    balance_after: int
    generation_id: str = ""
    generation_type: str = ""
    grant_id: str = ""
    cause: str = ""
    failure_reason: str = ""
    note: str = ""
    actor: str = ""
    create_time: datetime


class DebitType(msgspec.Struct):
    generation_id: str
    generation_type: str


SCHEMA_SQL = """
CREATE TABLE accounts (
    user_id text COLLATE "C" PRIMARY KEY,
    balance bigint NOT NULL,
    granted bigint NOT NULL,
    debited bigint NOT NULL,
    refunded bigint NOT NULL,
    entry_count bigint NOT NULL,
    update_position bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE ledger (
    user_id text COLLATE "C" NOT NULL,
    entry_number bigint NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    generation_id text COLLATE "C" NOT NULL,
    generation_type text NOT NULL,
    grant_id text NOT NULL,
    cause text NOT NULL,
    failure_reason text NOT NULL,
    note text NOT NULL,
    actor text NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (user_id, entry_number)
);
CREATE INDEX ledger_debits ON ledger (generation_id) WHERE kind = 'debit';
"""

_SELECT_ACCOUNTS = select_rows("accounts", "user_id", StoredAccount)
_UPSERT_ACCOUNTS = upsert_rows("accounts", ["user_id"], StoredAccount)
_INSERT_ENTRIES = insert_rows("ledger", StoredEntry)
_SELECT_TYPES = sql.SQL("""
    SELECT coalesce(json_agg(r), '[]')::text FROM (
        SELECT generation_id, generation_type FROM ledger
        WHERE kind = 'debit' AND generation_id = ANY(%s)) r""").format()
_UPDATE_TYPES = sql.SQL("""
    UPDATE ledger SET generation_type = row.generation_type
    FROM json_populate_recordset(NULL::ledger, %s::json) AS row
    WHERE ledger.kind = 'debit' AND ledger.generation_id = row.generation_id""").format()


class CreditsFold:
    """The accounts that a batch of events touches, and its new entries."""

    def __init__(self, accounts: Iterable[StoredAccount], types: Iterable[DebitType]) -> None:
        self.accounts = {each.user_id: each for each in accounts}
        self.types = {each.generation_id: each.generation_type for each in types}
        self.entries: list[StoredEntry] = []

    def apply(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case CreditsGranted() as event:
                account = self._account(event.user_id)
                account.granted += event.credits
                entry = self._enter(account, recorded, "grant", event.credits)
                entry.grant_id, entry.note, entry.actor = event.grant_id, event.note, event.actor
            case CreditsDebited() as event:
                account = self._account(event.user_id)
                account.debited += event.credits
                entry = self._enter(account, recorded, "debit", -event.credits)
                entry.generation_id = event.generation_id
            case CreditsRefunded() as event:
                account = self._account(event.user_id)
                account.refunded += event.credits
                entry = self._enter(account, recorded, "refund", event.credits)
                entry.generation_id, entry.cause = event.generation_id, event.cause
                entry.failure_reason, entry.note, entry.actor = event.failure_reason, event.note, event.actor

    def _account(self, user_id: str) -> StoredAccount:
        return self.accounts.setdefault(user_id, StoredAccount(user_id, 0, 0, 0, 0, 0, 0))

    def _enter(self, account: StoredAccount, recorded: RecordedEvent, kind: str, amount: int) -> StoredEntry:
        account.balance += amount
        account.entry_count += 1
        account.update_position = recorded.position
        entry = StoredEntry(
            user_id=account.user_id,
            entry_number=account.entry_count,
            position=recorded.position,
            kind=kind,
            amount=amount,
            balance_after=account.balance,
            create_time=recorded.recorded_at,
        )
        self.entries.append(entry)
        return entry

    def settle_types(self) -> None:
        for entry in self.entries:
            entry.generation_type = self.types.get(entry.generation_id, "")


async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
    requested = {
        each.event.generation_id: DebitType(each.event.generation_id, each.event.asked.generation_type)
        for each in events
        if isinstance(each.event, GenerationRequested)
    }
    users = {each.event.user_id for each in events if not isinstance(each.event, GenerationRequested)}  # type: ignore[union-attr]
    refunded = {each.event.generation_id for each in events if isinstance(each.event, CreditsRefunded)}
    debited = {each.event.generation_id for each in events if isinstance(each.event, CreditsDebited)}
    earlier = await fetch(connection, _SELECT_TYPES, refunded - requested.keys(), DebitType)
    batch = CreditsFold(
        await fetch(connection, _SELECT_ACCOUNTS, users, StoredAccount), [*requested.values(), *earlier]
    )
    for recorded in events:
        batch.apply(recorded)
    batch.settle_types()
    await write(connection, _UPSERT_ACCOUNTS, list(batch.accounts.values()))
    await write(connection, _INSERT_ENTRIES, batch.entries)
    cut_off = [each for each in requested.values() if each.generation_id not in debited]
    await write(connection, _UPDATE_TYPES, cut_off)
    return users


CREDITS = Projection(
    name="credits",
    version=1,
    event_types=frozenset(
        each.__name__ for each in (CreditsGranted, CreditsDebited, CreditsRefunded, GenerationRequested)
    ),
    schema_sql=SCHEMA_SQL,
    tables=("accounts", "ledger"),
    apply=apply,
)
