"""``CreditService``: grants, balances, statements, refunds by hand."""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import credit_service_pb2 as pb
from triptych.v1.credit_service_pb2_grpc import CreditServiceServicer

from service.api import checks, convert, page_tokens
from service.api.caller import CALLER
from service.api.dependencies import Core
from service.api.moments import credits_then, moment_of
from service.api.page_tokens import EntryCursor, Question
from service.domain.ids import check_external_id
from service.ports.read_models import CreditQueries, LedgerRow

Call = ServicerContext[Any, Any]


class CreditServicer(CreditServiceServicer):
    def __init__(self, core: Core) -> None:
        self._core = core

    async def GrantCredits(self, request: pb.GrantCreditsRequest, context: Call) -> pb.GrantCreditsResponse:
        outcome = await self._core.credits.grant(
            user_id=request.user_id,
            grant_id=request.grant_id,
            credits=request.credits,
            note=checks.free_text("note", request.note),
            context=CALLER.get().context,
        )
        return pb.GrantCreditsResponse(
            account=convert.account_state(outcome.state, request.user_id),
            position=outcome.position,
            created=outcome.changed,
        )

    async def GetAccount(self, request: pb.GetAccountRequest, context: Call) -> pb.GetAccountResponse:
        user_id = check_external_id("user_id", request.user_id)
        queries = await credits_then(self._core, request, context)
        row, position = await queries.account(user_id)
        return pb.GetAccountResponse(account=convert.account(row), position=position)

    async def ListLedgerEntries(
        self, request: pb.ListLedgerEntriesRequest, context: Call
    ) -> pb.ListLedgerEntriesResponse:
        user_id = check_external_id("user_id", request.user_id)
        question = ("ledger", user_id, *moment_of(request))
        cursor = page_tokens.decode_entry_cursor(request.page_token, question)
        limit = checks.page_size(request.page_size)
        queries = await credits_then(self._core, request, context)
        if cursor is not None and cursor.direction == "newer":
            return await _newer_entries(queries, user_id, cursor.entry_number, limit, question)
        before = 0 if cursor is None else cursor.entry_number
        page = await queries.ledger(user_id, before_entry_number=before, limit=limit)
        return _page(
            page.entries, question, position=page.position, has_older=page.has_next, has_newer=cursor is not None
        )

    async def RefundGeneration(
        self, request: pb.RefundGenerationRequest, context: Call
    ) -> pb.RefundGenerationResponse:
        caller = CALLER.get()
        outcome = await self._core.credits.refund_generation(
            generation_id=request.generation_id,
            reason=checks.free_text("reason", request.reason),
            actor=checks.free_text("actor", request.actor, most=128) or caller.name,
            context=caller.context,
        )
        generation = await self._core.generations.load(request.generation_id)
        return pb.RefundGenerationResponse(
            account=convert.account_state(outcome.state, generation.user_id),
            credits_refunded=generation.price - generation.credits_refunded,
            position=outcome.position,
        )


async def _newer_entries(
    queries: CreditQueries, user_id: str, after: int, limit: int, question: Question
) -> pb.ListLedgerEntriesResponse:
    """The ``limit`` entries that follow number ``after``: numbers have no gaps, so they can be counted off."""
    page = await queries.ledger(user_id, before_entry_number=after + limit + 2, limit=limit + 1)
    entries = [entry for entry in page.entries if entry.entry_number > after]
    has_newer = len(entries) > limit
    return _page(entries[-limit:], question, position=page.position, has_older=after > 0, has_newer=has_newer)


def _page(
    entries: list[LedgerRow] | tuple[LedgerRow, ...],
    question: Question,
    *,
    position: int,
    has_older: bool,
    has_newer: bool,
) -> pb.ListLedgerEntriesResponse:
    older = EntryCursor(entries[-1].entry_number, "older") if entries and has_older else None
    newer = EntryCursor(entries[0].entry_number, "newer") if entries and has_newer else None
    return pb.ListLedgerEntriesResponse(
        entries=[convert.ledger_entry(entry) for entry in entries],
        next_page_token=page_tokens.encode(older, question),
        previous_page_token=page_tokens.encode(newer, question),
        position=position,
    )
