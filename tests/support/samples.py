"""One user, one generation and what can happen to them: plain values from which tests build their histories."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from service.domain.account import CreditsDebited, CreditsGranted, CreditsRefunded, RefundCause
from service.domain.catalog import Catalog, MediaType
from service.domain.generation import events as e
from service.domain.generation.importing import OlderItem, bring_in
from service.domain.generation.outcome import Delivered
from service.domain.generation.state import Generation
from service.domain.ids import generation_id_for, item_id_for
from service.domain.imports import ImportListed

USER = "user-1"
OTHER_USER = "user-2"
REQUEST = "request-1"
GENERATION_ID = generation_id_for(USER, REQUEST)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DEADLINE_SECONDS = 300
DEADLINE = NOW + timedelta(seconds=DEADLINE_SECONDS)
PRICE = 5
"""Credits an image."""


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def image_type(**changes: object) -> MediaType:
    fields: dict[str, object] = {
        "title_ru": "Изображения",
        "title_en": "Images",
        "icon": "image",
        "kind": "image",
        "model": "fal-ai/imagen4/preview",
        "credits_per_output": PRICE,
        "max_outputs": 4,
        "aspect_ratios": ("1:1", "16:9"),
        "deadline_seconds": DEADLINE_SECONDS,
    }
    return MediaType(**{**fields, **changes})  # type: ignore[arg-type]


CATALOG = Catalog(
    {
        "imagen4": image_type(),
        "avatar": image_type(model="fal-ai/instant-character", credits_per_output=10, needs_reference=True),
        "video": image_type(kind="video", model="fal-ai/veo3.1/fast", credits_per_output=50, max_outputs=1),
    }
)


def asked(**changes: object) -> e.AskedParameters:
    fields: dict[str, object] = {"generation_type": "imagen4", "prompt": "a red fox in the snow", "output_count": 4}
    return e.AskedParameters(**{**fields, **changes})  # type: ignore[arg-type]


def granted(credits: int, grant_id: str = "grant-1", note: str = "") -> CreditsGranted:
    return CreditsGranted(user_id=USER, grant_id=grant_id, credits=credits, note=note, actor="billing")


def debited(credits: int = 4 * PRICE, generation_id: str = GENERATION_ID) -> CreditsDebited:
    return CreditsDebited(user_id=USER, generation_id=generation_id, credits=credits)


def refunded(credits: int, cause: RefundCause = "failed", failure_reason: str = "") -> CreditsRefunded:
    return CreditsRefunded(
        user_id=USER, generation_id=GENERATION_ID, credits=credits, cause=cause, failure_reason=failure_reason
    )


def refunded_by_hand(credits: int) -> CreditsRefunded:
    return CreditsRefunded(
        user_id=USER,
        generation_id=GENERATION_ID,
        credits=credits,
        cause="manual",
        actor="ann",
        note="blurred",
        refunded_at=NOW,
    )


def requested(output_count: int = 4) -> e.GenerationRequested:
    return e.GenerationRequested(
        generation_id=GENERATION_ID,
        user_id=USER,
        request_id=REQUEST,
        asked=asked(output_count=output_count),
        model="fal-ai/imagen4/preview",
        aspect_ratio="1:1",
        output_count=output_count,
        credits_per_output=PRICE,
        requested_at=NOW,
        deadline_at=DEADLINE,
    )


def moderated(*, allowed: bool = True) -> e.PromptModerated:
    return e.PromptModerated(generation_id=GENERATION_ID, allowed=allowed)


def enhanced(prompt: str = "a red fox, dawn light on snow") -> e.PromptEnhanced:
    return e.PromptEnhanced(generation_id=GENERATION_ID, prompt=prompt, source="improved")


def submission_started(attempt: int = 1, at_seconds: float = 0) -> e.SubmissionStarted:
    return e.SubmissionStarted(
        generation_id=GENERATION_ID,
        attempt=attempt,
        started_at=after(at_seconds),
        grace_until=after(at_seconds + 120),
    )


def submission_deferred(attempt: int = 1, retry_at_seconds: float = 10) -> e.SubmissionDeferred:
    return e.SubmissionDeferred(
        generation_id=GENERATION_ID, attempt=attempt, retry_at=after(retry_at_seconds), detail="connection refused"
    )


def submitted(provider_request_id: str = "job-1") -> e.GenerationSubmitted:
    return e.GenerationSubmitted(generation_id=GENERATION_ID, provider_request_id=provider_request_id)


def cancellation_requested() -> e.CancellationRequested:
    return e.CancellationRequested(generation_id=GENERATION_ID, actor="bot")


def cancellation_refused() -> e.CancellationRefused:
    return e.CancellationRefused(generation_id=GENERATION_ID, why="It is being made.")


def media(name: str = "output-0.png") -> e.StoredMedia:
    return e.StoredMedia(
        key=f"outputs/{name}", content_type="image/png", size_bytes=1000, sha256="0" * 64, width=64, height=64
    )


def delivered(index: int, kind: str = "image") -> Delivered:
    return Delivered(index=index, kind=kind, media=media(), thumbnail=media("thumbnail-0.webp"))


def image(index: int) -> e.ImageProduced:
    return e.ImageProduced(
        generation_id=GENERATION_ID,
        item_id=item_id_for(GENERATION_ID, index),
        index=index,
        media=media(),
        thumbnail=media("thumbnail-0.webp"),
    )


def older_item(**changes: Any) -> OlderItem:
    item = OlderItem(
        import_id="old-1",
        user_id=USER,
        created_at=NOW - timedelta(days=900),
        generation_type="avatar",
        prompt="a red fox",
        source_model="flux",
    )
    return msgspec.structs.replace(item, **changes)


def imported(item: OlderItem | None = None) -> tuple[ImportListed, e.ItemImported]:
    """What is recorded of an item of an older gallery."""
    found = bring_in(Generation(), item or older_item(), media=media("old.png"), thumbnail=media("old.webp"))
    return found.imports[0], found.generation[0]


def succeeded(delivered_count: int, credits_refunded: int = 0) -> e.GenerationSucceeded:
    return e.GenerationSucceeded(
        generation_id=GENERATION_ID, delivered_count=delivered_count, credits_refunded=credits_refunded
    )


def failed(credits_refunded: int = 4 * PRICE, failure_reason: e.FailureReason = "timed_out") -> e.GenerationFailed:
    return e.GenerationFailed(
        generation_id=GENERATION_ID, failure_reason=failure_reason, credits_refunded=credits_refunded
    )


def cancelled(credits_refunded: int = 4 * PRICE) -> e.GenerationCancelled:
    return e.GenerationCancelled(generation_id=GENERATION_ID, credits_refunded=credits_refunded, actor="bot")
