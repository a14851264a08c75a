"""Reads whole read models in a stream, to be compared with what the log says.

Only rows that have not changed since a position are given: the comparison was made up to there, and the service
may be working.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import LiteralString

import msgspec
from psycopg.rows import class_row

from service.projections.projection import Connection

BATCH_ROWS = 2000


class AccountTotals(msgspec.Struct, frozen=True):
    user_id: str
    balance: int
    granted: int
    debited: int
    refunded: int


class GenerationTotals(msgspec.Struct, frozen=True):
    generation_id: str
    state: str
    credits_debited: int
    credits_refunded: int
    delivered_count: int


_ACCOUNTS: LiteralString = (
    "SELECT user_id, balance, granted, debited, refunded FROM read.accounts WHERE update_position <= %s"
)
_GENERATIONS: LiteralString = (
    "SELECT generation_id, state, credits_debited, credits_refunded, delivered_count FROM read.generations "
    "WHERE update_position <= %s"
)


async def unchanged_accounts(connection: Connection, until: int) -> AsyncIterator[AccountTotals]:
    """Accounts that nothing after position ``until`` has touched."""
    async with (
        connection.transaction(),
        connection.cursor("triptych_accounts", row_factory=class_row(AccountTotals)) as rows,
    ):
        rows.itersize = BATCH_ROWS
        await rows.execute(_ACCOUNTS, (until,))
        async for row in rows:
            yield row


async def unchanged_generations(connection: Connection, until: int) -> AsyncIterator[GenerationTotals]:
    """Generations that nothing after position ``until`` has touched."""
    async with (
        connection.transaction(),
        connection.cursor("triptych_generations", row_factory=class_row(GenerationTotals)) as rows,
    ):
        rows.itersize = BATCH_ROWS
        await rows.execute(_GENERATIONS, (until,))
        async for row in rows:
            yield row
