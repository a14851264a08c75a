"""How a generation ends: exactly once, and with the credits for what was not delivered in the same append.

Every function answers with no events when the generation has ended already: whoever comes second (a webhook, a
poller, a deadline, another worker) changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from service.domain import account as accounts
from service.domain.account import Account, AccountEvent, RefundCause
from service.domain.generation import events as e
from service.domain.generation.decided import NOTHING, Decided
from service.domain.generation.state import Generation, Phase
from service.domain.ids import item_id_for
from service.domain.refunds import credits_to_refund


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """One output that is verified and in our media store."""

    index: int
    kind: str
    """``image`` or ``video``."""
    media: e.StoredMedia
    thumbnail: e.StoredMedia
    seed: int | None = None


def end_delivered(
    account: Account,
    generation: Generation,
    *,
    delivered: Sequence[Delivered],
    undelivered_detail: str = "",
    none_reason: e.FailureReason = "no_output",
) -> Decided:
    """Ends with what came: success for at least one output, with the rest paid back; failure for none."""
    if _nothing_to_end(generation):
        return NOTHING
    wanted = sorted(delivered, key=lambda output: output.index)[: generation.output_count]
    if not wanted:
        return end_failed(account, generation, reason=none_reason, detail=undelivered_detail)
    credits, refunds = _refund(account, generation, delivered_count=len(wanted), cause="undelivered")
    succeeded = e.GenerationSucceeded(
        generation_id=generation.generation_id,
        delivered_count=len(wanted),
        credits_refunded=credits,
        undelivered_detail=undelivered_detail,
    )
    return Decided(refunds, [*(_produced(generation, output) for output in wanted), succeeded])


def _produced(generation: Generation, output: Delivered) -> e.ImageProduced | e.VideoProduced:
    event_type = e.VideoProduced if output.kind == "video" else e.ImageProduced
    return event_type(
        generation_id=generation.generation_id,
        item_id=item_id_for(generation.generation_id, output.index),
        index=output.index,
        media=output.media,
        thumbnail=output.thumbnail,
        seed=output.seed,
    )


def end_failed(account: Account, generation: Generation, *, reason: e.FailureReason, detail: str) -> Decided:
    """Ends with nothing delivered and everything paid back."""
    if _nothing_to_end(generation):
        return NOTHING
    credits, refunds = _refund(account, generation, delivered_count=0, cause="failed", failure_reason=reason)
    failed = e.GenerationFailed(
        generation_id=generation.generation_id,
        failure_reason=reason,
        credits_refunded=credits,
        detail=detail,
    )
    return Decided(refunds, [failed])


def end_cancelled(account: Account, generation: Generation, *, actor: str) -> Decided:
    """Ends because the user wanted out in time, with everything paid back."""
    if _nothing_to_end(generation):
        return NOTHING
    credits, refunds = _refund(account, generation, delivered_count=0, cause="cancelled")
    cancelled = e.GenerationCancelled(generation_id=generation.generation_id, credits_refunded=credits, actor=actor)
    return Decided(refunds, [cancelled])


def refuse_prompt(account: Account, generation: Generation, *, categories: tuple[str, ...], model: str) -> Decided:
    """The moderation's no: the verdict, the end and the refund stand in one append."""
    if _nothing_to_end(generation) or generation.moderated:
        return NOTHING
    ended = end_failed(account, generation, reason="content_policy", detail="moderation: " + ", ".join(categories))
    verdict = e.PromptModerated(
        generation_id=generation.generation_id, allowed=False, categories=categories, model=model
    )
    return Decided(ended.account, [verdict, *ended.generation])


def _nothing_to_end(generation: Generation) -> bool:
    return generation.ended or generation.phase is Phase.ABSENT


def _refund(
    account: Account,
    generation: Generation,
    *,
    delivered_count: int,
    cause: RefundCause,
    failure_reason: str = "",
) -> tuple[int, list[AccountEvent]]:
    credits = credits_to_refund(
        credits_per_output=generation.credits_per_output,
        asked_count=generation.output_count,
        delivered_count=delivered_count,
    )
    refunds = accounts.refund(
        account,
        user_id=generation.user_id,
        generation_id=generation.generation_id,
        credits=credits,
        cause=cause,
        failure_reason=failure_reason,
    )
    return credits, refunds
