"""From read rows and states to messages. Whatever is not known stays at its field's default.

Names that the domain keeps as plain words (states, reasons, causes) become enum values by their names; a word that
has no value is a defect of the contract, and a test keeps the two in step.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from triptych.v1 import account_pb2, admin_service_pb2, gallery_service_pb2, generation_pb2, item_pb2, media_pb2

from service.api.failures import SENTENCES
from service.domain.account import Account
from service.domain.catalog import MediaType
from service.domain.generation.state import Generation, Phase
from service.ports.projections import ProjectionStatus
from service.ports.read_models import AccountRow, GenerationRow, ItemRow, LedgerRow, TypeCount

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def enum_value(enum: Any, prefix: str, word: str) -> Any:
    """The value of ``enum`` for one of the domain's words; 0, which is UNSPECIFIED, for an empty one."""
    return enum.Value(f"{prefix}_{word.upper()}") if word else 0


def time_fields(moment: datetime) -> dict[str, int]:
    """The fields of a Timestamp. Its own FromDatetime takes five times as long."""
    since = moment - _EPOCH
    return {"seconds": since // _SECOND, "nanos": since.microseconds * 1000}


def timestamp(moment: datetime) -> Timestamp:
    return Timestamp(**time_fields(moment))


def media_kind(content_type: str) -> media_pb2.MediaKind.ValueType:
    video = content_type.startswith("video/")
    return media_pb2.MEDIA_KIND_VIDEO if video else media_pb2.MEDIA_KIND_IMAGE


def item(row: ItemRow) -> item_pb2.Item:
    return item_pb2.Item(**_item_fields(row))


def items(rows: Iterable[ItemRow]) -> Any:
    """What a repeated field of Items takes: plain values, which protobuf makes into messages in C, at half the cost
    of making one message after the other."""
    return [_item_fields(row) for row in rows]


def _item_fields(row: ItemRow) -> dict[str, Any]:
    return {
        "item_id": row.item_id,
        "generation_id": row.generation_id,
        "user_id": row.user_id,
        "type": row.generation_type,
        "kind": media_kind(row.media.content_type),
        "index": row.index,
        "model": row.model,
        "prompt": row.prompt,
        "effective_prompt": row.improved_prompt,
        "aspect_ratio": row.aspect_ratio,
        "seed": row.seed,
        "credits": row.credits,
        "media": msgspec.structs.asdict(row.media),
        "thumbnail": msgspec.structs.asdict(row.thumbnail),
        "favorite": row.favorite,
        "trashed": row.trashed,
        "create_time": time_fields(row.create_time),
        "update_position": row.update_position,
        "imported": row.imported,
    }


def failure(reason: str, detail: str) -> generation_pb2.Failure:
    sentence = SENTENCES[reason]  # type: ignore[index]
    return generation_pb2.Failure(
        reason=enum_value(generation_pb2.FailureReason, "FAILURE_REASON", reason),
        message=media_pb2.LocalizedText(ru=sentence.ru, en=sentence.en),
        operator_detail=detail,
    )


def generation(row: GenerationRow) -> generation_pb2.Generation:
    message = generation_pb2.Generation(
        generation_id=row.generation_id,
        user_id=row.user_id,
        request_id=row.request_id,
        type=row.generation_type,
        model=row.model,
        state=enum_value(generation_pb2.Generation.State, "STATE", row.state),
        prompt=row.prompt,
        effective_prompt=row.improved_prompt,
        prompt_source=enum_value(generation_pb2.PromptSource, "PROMPT_SOURCE", row.prompt_source),
        own_words_reason=enum_value(generation_pb2.OwnWordsReason, "OWN_WORDS_REASON", row.own_words_reason),
        aspect_ratio=row.aspect_ratio,
        output_count=row.output_count,
        seed=row.seed,
        reference_media_id=row.reference_media_id,
        enhance_prompt=row.enhance_prompt,
        credits_per_output=row.credits_per_output,
        credits_debited=row.credits_debited,
        credits_refunded=row.credits_refunded,
        delivered_count=row.delivered_count,
        items=items(row.items),
        queue_position=row.queue_position,
        progress_message=row.log_line,
        cancel_refusal=row.cancel_refused_why,
        provider_request_id=row.provider_request_id,
        create_time=timestamp(row.create_time),
        deadline_time=timestamp(row.deadline_time),
        end_time=None if row.end_time is None else timestamp(row.end_time),
        update_position=row.update_position,
        imported=row.imported,
    )
    if row.failure_reason:
        message.failure.CopyFrom(failure(row.failure_reason, row.failure_detail))
    else:
        message.undelivered_detail = row.failure_detail
    return message


def state_name(state: Generation) -> str:
    """A state of the log by the name that the read model would give it."""
    if state.cancelling and not state.ended:
        return "cancelling"
    if state.phase is Phase.REQUESTED and state.moderated:
        return "preparing"
    return state.phase.value


def generation_state(state: Generation, position: int) -> generation_pb2.Generation:
    """A generation as the log has it right after a command. Its items and times of ending are the read model's."""
    asked = state.asked
    if asked is None or state.requested_at is None or state.deadline_at is None:
        raise ValueError(f"generation {state.generation_id!r} was never requested")
    message = generation_pb2.Generation(
        generation_id=state.generation_id,
        user_id=state.user_id,
        request_id=state.request_id,
        type=asked.generation_type,
        model=state.model,
        state=enum_value(generation_pb2.Generation.State, "STATE", state_name(state)),
        prompt=asked.prompt,
        effective_prompt=state.prompt,
        prompt_source=enum_value(generation_pb2.PromptSource, "PROMPT_SOURCE", state.prompt_source),
        own_words_reason=enum_value(generation_pb2.OwnWordsReason, "OWN_WORDS_REASON", state.own_words_reason),
        aspect_ratio=state.aspect_ratio,
        output_count=state.output_count,
        seed=asked.seed,
        reference_media_id=asked.reference_media_id,
        enhance_prompt=asked.enhance_prompt,
        credits_per_output=state.credits_per_output,
        credits_debited=state.price,
        credits_refunded=state.credits_refunded,
        delivered_count=len(state.items),
        cancel_refusal=state.cancel_refused_why,
        provider_request_id=state.provider_request_id,
        create_time=timestamp(state.requested_at),
        deadline_time=timestamp(state.deadline_at),
        update_position=position,
    )
    if state.failure_reason:
        message.failure.CopyFrom(failure(state.failure_reason, ""))
    return message


def generation_type(name: str, media_type: MediaType) -> generation_pb2.GenerationType:
    return generation_pb2.GenerationType(
        type=name,
        title=media_pb2.LocalizedText(ru=media_type.title_ru, en=media_type.title_en),
        icon=media_type.icon,
        kind=enum_value(media_pb2.MediaKind, "MEDIA_KIND", media_type.kind),
        model=media_type.model,
        credits_per_output=media_type.credits_per_output,
        max_output_count=media_type.max_outputs,
        aspect_ratios=media_type.aspect_ratios,
        needs_reference=media_type.needs_reference,
        deadline_seconds=media_type.deadline_seconds,
    )


def account(row: AccountRow) -> account_pb2.Account:
    return account_pb2.Account(
        user_id=row.user_id,
        balance=row.balance,
        credits_granted=row.granted,
        credits_debited=row.debited,
        credits_refunded=row.refunded,
    )


def account_state(state: Account, user_id: str) -> account_pb2.Account:
    """An account as the log has it right after a command."""
    return account_pb2.Account(
        user_id=user_id,
        balance=state.balance,
        credits_granted=state.granted,
        credits_debited=state.debited,
        credits_refunded=state.refunded,
    )


def ledger_entry(row: LedgerRow) -> account_pb2.LedgerEntry:
    return account_pb2.LedgerEntry(
        entry_number=row.entry_number,
        kind=enum_value(account_pb2.LedgerEntryKind, "LEDGER_ENTRY_KIND", row.kind),
        amount=row.amount,
        balance_after=row.balance_after,
        generation_id=row.generation_id,
        generation_type=row.generation_type,
        grant_id=row.grant_id,
        refund_cause=enum_value(account_pb2.RefundCause, "REFUND_CAUSE", row.cause),
        failure_reason=enum_value(generation_pb2.FailureReason, "FAILURE_REASON", row.failure_reason),
        note=row.note,
        actor=row.actor,
        create_time=timestamp(row.create_time),
        position=row.position,
    )


def type_count(count: TypeCount) -> gallery_service_pb2.CountItemsResponse.TypeCount:
    return gallery_service_pb2.CountItemsResponse.TypeCount(
        type=count.generation_type,
        count=count.count,
        favorite_count=count.favorite_count,
        trashed_count=count.trashed_count,
    )


def projection(status: ProjectionStatus) -> admin_service_pb2.Projection:
    return admin_service_pb2.Projection(
        name=status.name,
        version=status.version,
        position=status.position,
        lag=status.lag,
        state=enum_value(admin_service_pb2.Projection.State, "STATE", status.state),
        error=status.error,
        error_position=status.error_position,
        build=status.build,
        serving=status.serving,
    )
