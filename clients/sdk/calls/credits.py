"""Calls of ``CreditService``."""

from __future__ import annotations

import uuid
from typing import Any

from triptych.v1 import credit_service_pb2 as pb

from clients.sdk import convert, models, results
from clients.sdk.calls.moments import Moment, as_of_fields
from clients.sdk.rpc import Call, build


def grant_credits(user_id: str, credits: int, grant_id: str | None, note: str | None) -> Call[results.Granted]:
    request = build(
        pb.GrantCreditsRequest,
        user_id=user_id,
        credits=credits,
        grant_id=grant_id or str(uuid.uuid4()),
        note=note,
    )
    return Call(method=lambda stubs: stubs.credits.GrantCredits, request=request, convert=convert.granted)


def get_account(user_id: str, as_of: Moment | None) -> Call[models.Account]:
    return Call(
        method=lambda stubs: stubs.credits.GetAccount,
        request=build(pb.GetAccountRequest, user_id=user_id, **as_of_fields(as_of)),
        convert=lambda answer: convert.account(answer.account),
    )


def list_ledger_entries(user_id: str, as_of: Moment | None, **fields: Any) -> Call[results.Page[models.LedgerEntry]]:
    return Call(
        method=lambda stubs: stubs.credits.ListLedgerEntries,
        request=build(pb.ListLedgerEntriesRequest, user_id=user_id, **fields, **as_of_fields(as_of)),
        convert=convert.ledger_page,
    )


def refund_generation(generation_id: str, reason: str, actor: str | None) -> Call[results.Refunded]:
    return Call(
        method=lambda stubs: stubs.credits.RefundGeneration,
        request=build(pb.RefundGenerationRequest, generation_id=generation_id, reason=reason, actor=actor),
        convert=convert.refunded,
    )
