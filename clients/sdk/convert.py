"""From the contract's messages to the dataclasses of ``models.py`` and ``results.py``: one function a message."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from triptych.v1 import account_pb2, credit_service_pb2, gallery_service_pb2, generation_service_pb2, item_pb2
from triptych.v1 import generation_pb2 as pb
from triptych.v1 import media_pb2 as media_pb

from clients.sdk import models, results
from clients.sdk.enums import (
    FailureReason,
    GenerationState,
    LedgerEntryKind,
    MediaKind,
    OwnWordsReason,
    PromptSource,
    RefundCause,
    enum_value,
)
from clients.sdk.events import time_of


def _time(timestamp: Timestamp, present: bool) -> datetime | None:
    return time_of(timestamp) if present else None


def _media_kind(number: int) -> MediaKind:
    return enum_value(MediaKind, media_pb.MediaKind.DESCRIPTOR, number)


def text(message: media_pb.LocalizedText) -> models.LocalizedText:
    return models.LocalizedText(ru=message.ru, en=message.en)


def media(message: media_pb.Media) -> models.Media:
    return models.Media(
        key=message.key,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        width=message.width,
        height=message.height,
        duration_seconds=message.duration_seconds,
    )


def item(message: item_pb2.Item) -> models.Item:
    return models.Item(
        item_id=message.item_id,
        generation_id=message.generation_id,
        user_id=message.user_id,
        type=message.type,
        kind=_media_kind(message.kind),
        index=message.index,
        model=message.model,
        prompt=message.prompt,
        effective_prompt=message.effective_prompt,
        aspect_ratio=message.aspect_ratio,
        seed=message.seed if message.HasField("seed") else None,
        credits=message.credits,
        media=media(message.media),
        thumbnail=media(message.thumbnail),
        favorite=message.favorite,
        trashed=message.trashed,
        create_time=_time(message.create_time, message.HasField("create_time")),
        update_position=message.update_position,
        imported=message.imported,
    )


def failure(message: pb.Failure) -> models.Failure:
    return models.Failure(
        reason=enum_value(FailureReason, pb.FailureReason.DESCRIPTOR, message.reason),
        message=text(message.message),
        operator_detail=message.operator_detail,
    )


def generation(message: pb.Generation) -> models.Generation:
    return models.Generation(
        generation_id=message.generation_id,
        user_id=message.user_id,
        request_id=message.request_id,
        type=message.type,
        model=message.model,
        state=enum_value(GenerationState, pb.Generation.State.DESCRIPTOR, message.state),
        prompt=message.prompt,
        effective_prompt=message.effective_prompt,
        prompt_source=enum_value(PromptSource, pb.PromptSource.DESCRIPTOR, message.prompt_source),
        own_words_reason=enum_value(OwnWordsReason, pb.OwnWordsReason.DESCRIPTOR, message.own_words_reason),
        aspect_ratio=message.aspect_ratio,
        output_count=message.output_count,
        seed=message.seed if message.HasField("seed") else None,
        reference_media_id=message.reference_media_id,
        enhance_prompt=message.enhance_prompt,
        credits_per_output=message.credits_per_output,
        credits_debited=message.credits_debited,
        credits_refunded=message.credits_refunded,
        delivered_count=message.delivered_count,
        items=tuple(item(each) for each in message.items),
        queue_position=message.queue_position if message.HasField("queue_position") else None,
        progress_message=message.progress_message,
        failure=failure(message.failure) if message.HasField("failure") else None,
        cancel_refusal=message.cancel_refusal,
        provider_request_id=message.provider_request_id,
        create_time=_time(message.create_time, message.HasField("create_time")),
        deadline_time=_time(message.deadline_time, message.HasField("deadline_time")),
        end_time=_time(message.end_time, message.HasField("end_time")),
        update_position=message.update_position,
        undelivered_detail=message.undelivered_detail,
        imported=message.imported,
    )


def generation_type(message: pb.GenerationType) -> models.GenerationType:
    return models.GenerationType(
        type=message.type,
        title=text(message.title),
        icon=message.icon,
        kind=_media_kind(message.kind),
        model=message.model,
        credits_per_output=message.credits_per_output,
        max_output_count=message.max_output_count,
        aspect_ratios=tuple(message.aspect_ratios),
        needs_reference=message.needs_reference,
        deadline_seconds=message.deadline_seconds,
    )


def catalog(message: generation_service_pb2.ListTypesResponse) -> models.Catalog:
    return models.Catalog(
        types=tuple(generation_type(each) for each in message.types),
        max_prompt_characters=message.max_prompt_characters,
    )


def account(message: account_pb2.Account) -> models.Account:
    return models.Account(
        user_id=message.user_id,
        balance=message.balance,
        credits_granted=message.credits_granted,
        credits_debited=message.credits_debited,
        credits_refunded=message.credits_refunded,
    )


def ledger_entry(message: account_pb2.LedgerEntry) -> models.LedgerEntry:
    return models.LedgerEntry(
        entry_number=message.entry_number,
        kind=enum_value(LedgerEntryKind, account_pb2.LedgerEntryKind.DESCRIPTOR, message.kind),
        amount=message.amount,
        balance_after=message.balance_after,
        generation_id=message.generation_id,
        generation_type=message.generation_type,
        grant_id=message.grant_id,
        refund_cause=enum_value(RefundCause, account_pb2.RefundCause.DESCRIPTOR, message.refund_cause),
        failure_reason=enum_value(FailureReason, pb.FailureReason.DESCRIPTOR, message.failure_reason),
        note=message.note,
        actor=message.actor,
        create_time=_time(message.create_time, message.HasField("create_time")),
        position=message.position,
    )


def item_page(message: gallery_service_pb2.ListItemsResponse) -> results.Page[models.Item]:
    return results.Page(
        items=tuple(item(each) for each in message.items),
        next_page_token=message.next_page_token,
        previous_page_token=message.previous_page_token,
        position=message.position,
    )


def generation_page(message: generation_service_pb2.ListGenerationsResponse) -> results.Page[models.Generation]:
    return results.Page(
        items=tuple(generation(each) for each in message.generations),
        next_page_token=message.next_page_token,
        previous_page_token=message.previous_page_token,
        position=message.position,
    )


def ledger_page(message: credit_service_pb2.ListLedgerEntriesResponse) -> results.Page[models.LedgerEntry]:
    return results.Page(
        items=tuple(ledger_entry(each) for each in message.entries),
        next_page_token=message.next_page_token,
        previous_page_token=message.previous_page_token,
        position=message.position,
    )


def type_counts(message: gallery_service_pb2.CountItemsResponse) -> tuple[models.TypeCount, ...]:
    return tuple(
        models.TypeCount(
            type=each.type,
            count=each.count,
            favorite_count=each.favorite_count,
            trashed_count=each.trashed_count,
        )
        for each in message.counts
    )


def item_changes(message: gallery_service_pb2.WatchItemsResponse) -> results.ItemChanges:
    return results.ItemChanges(
        items=tuple(item(each) for each in message.items),
        removed_item_ids=tuple(message.removed_item_ids),
        position=message.position,
        caught_up=message.caught_up,
    )


def requested(message: generation_service_pb2.RequestGenerationResponse) -> results.Requested:
    return results.Requested(
        generation=generation(message.generation), position=message.position, created=message.created
    )


def granted(message: credit_service_pb2.GrantCreditsResponse) -> results.Granted:
    return results.Granted(account=account(message.account), position=message.position, created=message.created)


def refunded(message: credit_service_pb2.RefundGenerationResponse) -> results.Refunded:
    return results.Refunded(
        account=account(message.account), credits_refunded=message.credits_refunded, position=message.position
    )


def reference(message: gallery_service_pb2.UploadMediaResponse) -> results.Reference:
    return results.Reference(
        media_id=message.media_id,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        width=message.width,
        height=message.height,
    )


def file_info(message: gallery_service_pb2.DownloadMediaResponse.Metadata) -> results.FileInfo:
    return results.FileInfo(
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        file_name=message.file_name,
    )
