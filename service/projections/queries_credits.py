"""Queries on accounts and their ledgers."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from service.ports.read_models import AccountRow, LedgerPage, LedgerRow
from service.projections.gathered import Gathered
from service.projections.queries import Pool, answer, ask, check_limit, decode, rows_as_json
from service.projections.rows import columns

_ACCOUNTS = answer(
    "credits",
    rows_as_json(
        sql.SQL("SELECT {} FROM read.accounts WHERE user_id = ANY(%(user_ids)s)").format(
            columns(AccountRow.__struct_fields__)
        )
    ),
)
_LEDGER = answer(
    "credits",
    rows_as_json(
        sql.SQL(
            "SELECT {} FROM read.ledger WHERE user_id = %(user_id)s"
            " AND (%(before)s::bigint = 0 OR entry_number < %(before)s::bigint)"
            " ORDER BY entry_number DESC LIMIT %(limit)s"
        ).format(columns(LedgerRow.__struct_fields__))
    ),
)


class PostgresCreditQueries:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gathered = Gathered(self._accounts)

    async def account(self, user_id: str) -> tuple[AccountRow, int]:
        return await self._gathered.get(user_id)

    async def _accounts(self, user_ids: Sequence[str]) -> Sequence[tuple[AccountRow, int]]:
        position, found = await ask(self._pool, "credits", _ACCOUNTS, {"user_ids": list(user_ids)})
        rows = {row.user_id: row for row in decode(found, AccountRow)}
        return [(rows.get(user_id) or _nothing(user_id), position) for user_id in user_ids]

    async def ledger(self, user_id: str, *, before_entry_number: int, limit: int) -> LedgerPage:
        parameters = {"user_id": user_id, "before": before_entry_number, "limit": check_limit(limit) + 1}
        position, found = await ask(self._pool, "credits", _LEDGER, parameters)
        rows = decode(found, LedgerRow)
        has_next = len(rows) > limit
        return LedgerPage(
            entries=tuple(rows[:limit]),
            next_entry_number=rows[limit - 1].entry_number if has_next else 0,
            has_next=has_next,
            has_previous=before_entry_number > 0,
            position=position,
        )


def _nothing(user_id: str) -> AccountRow:
    return AccountRow(user_id=user_id, balance=0, granted=0, debited=0, refunded=0, update_position=0)
