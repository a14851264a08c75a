"""The read models against the log: a plain sentence for everything that differs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, LiteralString

from service.application.audit import Audit
from service.application.audit_generation import AuditedGeneration
from service.projections.projection import Connection
from service.projections.verification import GenerationTotals, unchanged_accounts, unchanged_generations

_STATES = {
    "GenerationSucceeded": "succeeded",
    "ItemImported": "succeeded",
    "GenerationFailed": "failed",
    "GenerationCancelled": "cancelled",
}
_PRESENT: dict[str, LiteralString] = {
    "account": "SELECT user_id FROM read.accounts WHERE user_id = ANY(%s)",
    "generation": "SELECT generation_id FROM read.generations WHERE generation_id = ANY(%s)",
}


async def compare_accounts(connection: Connection, audit: Audit) -> AsyncIterator[str]:
    missing = set(audit.accounts)
    async for row in unchanged_accounts(connection, audit.position):
        missing.discard(row.user_id)
        known = audit.accounts.get(row.user_id)
        if known is None:
            yield f"account {row.user_id} is shown, and no event speaks of it"
            continue
        shown = (row.granted, row.debited, row.refunded, row.balance)
        counted = (known.granted, known.debited, known.refunded, known.balance)
        if shown != counted:
            yield (
                f"account {row.user_id} shows granted, debited, refunded, balance {shown}, and the log says {counted}"
            )
    async for sentence in _absent(connection, "account", missing):
        yield sentence


async def compare_generations(connection: Connection, audit: Audit) -> AsyncIterator[str]:
    missing = set(audit.generations)
    async for row in unchanged_generations(connection, audit.position):
        missing.discard(row.generation_id)
        known = audit.generations.get(row.generation_id)
        if known is None:
            yield f"generation {row.generation_id} is shown, and no event speaks of it"
            continue
        for sentence in _differences(row, known):
            yield f"generation {row.generation_id} {sentence}"
    async for sentence in _absent(connection, "generation", missing):
        yield sentence


def _differences(row: GenerationTotals, known: AuditedGeneration) -> list[str]:
    refunded = known.refunded + known.refunded_by_hand
    ended = _STATES.get(known.end, "")
    found = []
    if (row.state if row.state in _STATES.values() else "") != ended:
        found.append(f"is shown as {row.state}, and the log says {ended or 'that it has not ended'}")
    if (row.credits_debited, row.credits_refunded) != (known.debited, refunded):
        found.append(
            f"is shown with {row.credits_debited} credits taken and {row.credits_refunded} given back, and the log "
            f"says {known.debited} and {refunded}"
        )
    if row.delivered_count != known.outputs:
        found.append(f"is shown with {row.delivered_count} outputs, and the log says {known.outputs}")
    return found


async def _absent(
    connection: Connection, kind: Literal["account", "generation"], ids: set[str]
) -> AsyncIterator[str]:
    """Those of ``ids`` that have no row at all; the others have only changed since."""
    cursor = await connection.execute(_PRESENT[kind], (sorted(ids),))
    present = {row[0] for row in await cursor.fetchall()}
    for each in sorted(ids - present):
        yield f"{kind} {each} is in the log, and the read models do not show it"
