"""Asking for a generation, and asking out of it. Each decision speaks for two streams at once: the account's
and the generation's, because money moves in the same append as its reason."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from service.domain import account as accounts
from service.domain.account import Account
from service.domain.catalog import Catalog, resolve
from service.domain.errors import AlreadyExists, InvalidField, NotCancellable, NotFound
from service.domain.generation import events as e
from service.domain.generation.decided import NOTHING, Decided
from service.domain.generation.outcome import end_cancelled
from service.domain.generation.state import Generation, Phase


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a request is decided."""

    generation_id: str
    user_id: str
    request_id: str
    asked: e.AskedParameters
    catalog: Catalog
    reference_found: bool
    """Whether the user's reference picture is in our store; meaningless when none was named."""
    now: datetime


def request(account: Account, generation: Generation, facts: RequestFacts) -> Decided:
    """Takes the credits and records the request.

    The same request again changes nothing; the same ``request_id`` with other parameters is refused.
    """
    if generation.phase is not Phase.ABSENT:
        _require_same(generation, facts)
        return NOTHING
    resolved = resolve(facts.catalog, facts.asked)
    if facts.asked.reference_media_id and not facts.reference_found:
        raise InvalidField(
            "reference_media_id", f"{facts.asked.reference_media_id!r} is not among this user's uploads"
        )
    debited = accounts.debit(
        account, user_id=facts.user_id, generation_id=facts.generation_id, credits=resolved.price
    )
    requested = e.GenerationRequested(
        generation_id=facts.generation_id,
        user_id=facts.user_id,
        request_id=facts.request_id,
        asked=facts.asked,
        model=resolved.media_type.model,
        aspect_ratio=resolved.aspect_ratio,
        output_count=resolved.output_count,
        credits_per_output=resolved.media_type.credits_per_output,
        requested_at=facts.now,
        deadline_at=facts.now + timedelta(seconds=resolved.media_type.deadline_seconds),
    )
    return Decided(debited, [requested])


def _require_same(generation: Generation, facts: RequestFacts) -> None:
    before, now = generation.asked, facts.asked
    differing = tuple(
        {"generation_type": "type"}.get(field, field)
        for field in now.__struct_fields__
        if getattr(before, field, None) != getattr(now, field)
    )
    if differing:
        raise AlreadyExists("request_id", facts.request_id, differing)


def cancel(account: Account, generation: Generation, *, user_id: str, generation_id: str, actor: str) -> Decided:
    """Out of it: at once while the vendor does not have it; otherwise a wish that the vendor decides on."""
    if generation.phase is Phase.ABSENT or generation.user_id != user_id:
        raise NotFound("generation", generation_id)
    if generation.phase is Phase.CANCELLED or (generation.cancelling and not generation.ended):
        return NOTHING
    if generation.ended:
        raise NotCancellable(
            generation_id,
            generation.phase.value,
            f"It is too late to cancel: it has {generation.phase.value}.",
        )
    if generation.phase is Phase.REQUESTED:
        return end_cancelled(account, generation, actor=actor)
    return Decided([], [e.CancellationRequested(generation_id=generation_id, actor=actor)])
