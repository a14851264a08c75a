"""Mistakes about credits: what stands between a decision and a wrong balance, removed."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from service.application import generations as generation_commands
from service.application.execute import Context, Outcome
from service.application.generations import EndDecision, Generations, account_ref, generation_ref
from service.domain import account as accounts
from service.domain.account import Account, AccountEvent, CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.errors import NotFound
from service.domain.generation import outcome
from service.domain.generation.state import Generation


def balance_unchecked() -> list[Any]:
    def debit(state: Account, *, user_id: str, generation_id: str, credits: int) -> list[AccountEvent]:
        return [CreditsDebited(user_id=user_id, generation_id=generation_id, credits=credits)]

    return [patch.object(accounts, "debit", debit)]


def grant_id_ignored() -> list[Any]:
    def grant(
        state: Account, *, user_id: str, grant_id: str, credits: int, note: str, actor: str
    ) -> list[AccountEvent]:
        return [CreditsGranted(user_id=user_id, grant_id=grant_id, credits=credits, note=note, actor=actor)]

    return [patch.object(accounts, "grant", grant)]


def request_id_ignored() -> list[Any]:
    numbers = itertools.count()

    def generation_id_for(user_id: str, request_id: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user_id}/{request_id}/{next(numbers)}"))

    return [patch.object(generation_commands, "generation_id_for", generation_id_for)]


def refund_by_hand_of_everything() -> list[Any]:
    def refund_by_hand(
        state: Account, *, user_id: str, generation_id: str, note: str, actor: str, now: Any
    ) -> list[AccountEvent]:
        if (charge := state.charges.get(generation_id)) is None:
            raise NotFound("generation", generation_id)
        return [
            CreditsRefunded(
                user_id=user_id,
                generation_id=generation_id,
                credits=charge.debited,
                cause="manual",
                actor=actor,
                note=note,
            )
        ]

    return [patch.object(accounts, "refund_by_hand", refund_by_hand)]


def partial_delivery_kept() -> list[Any]:
    right: Callable[..., int] = outcome.credits_to_refund  # type: ignore[attr-defined]

    def credits_to_refund(*, credits_per_output: int, asked_count: int, delivered_count: int) -> int:
        if delivered_count:
            return 0
        return right(credits_per_output=credits_per_output, asked_count=asked_count, delivered_count=delivered_count)

    return [patch.object(outcome, "credits_to_refund", credits_to_refund)]


def end_not_final() -> list[Any]:
    return [patch.object(Generation, "ended", False)]


def end_not_final_and_refund_not_capped() -> list[Any]:
    def refund(
        state: Account, *, user_id: str, generation_id: str, credits: int, cause: Any, failure_reason: str = ""
    ) -> list[AccountEvent]:
        if credits == 0:
            return []
        return [CreditsRefunded(user_id=user_id, generation_id=generation_id, credits=credits, cause=cause)]

    return [*end_not_final(), patch.object(accounts, "refund", refund)]


def refund_in_an_append_of_its_own() -> list[Any]:
    async def end(
        self: Generations, user_id: str, generation_id: str, decide: EndDecision, context: Context
    ) -> Outcome[Generation]:
        account = await self._executor.load(account_ref(user_id))
        refunds: list[AccountEvent] = []

        def decide_end(generation: Generation) -> list[Any]:
            decided = decide(account.state, generation)
            refunds[:] = decided.account
            return decided.generation

        ended = await self._executor.run(generation_ref(generation_id), decide_end, context)
        if refunds and ended.changed:
            await self._executor.run(account_ref(user_id), lambda _account: refunds, context)
        return ended

    return [patch.object(Generations, "end", end)]
