"""Things of the service for tests of what the bot says about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clients.sdk import (
    Failure,
    FailureReason,
    Generation,
    GenerationState,
    GenerationType,
    Item,
    LocalizedText,
    Media,
    MediaKind,
    OwnWordsReason,
    PromptSource,
)

NOW = datetime(2026, 11, 25, 14, 15, tzinfo=UTC)
GENERATION_ID = "f60dd1ad-bee0-5107-9b93-1a8c2dab39d5"
ITEM_ID = f"{GENERATION_ID}.0"


def a_type(name: str = "imagen4", **changes: Any) -> GenerationType:
    fields: dict[str, Any] = {
        "type": name,
        "title": LocalizedText(ru="Изображения", en="Images"),
        "icon": "🎨",
        "kind": MediaKind.IMAGE,
        "model": "fal-ai/imagen4/preview",
        "credits_per_output": 5,
        "max_output_count": 4,
        "aspect_ratios": ("1:1", "16:9"),
        "needs_reference": False,
        "deadline_seconds": 300,
    }
    return GenerationType(**{**fields, **changes})


TYPES = {
    "avatar": a_type("avatar", icon="👤", credits_per_output=10, needs_reference=True),
    "imagen4": a_type(),
    "video": a_type("video", icon="🎥", kind=MediaKind.VIDEO, credits_per_output=40, max_output_count=1),
}


def media(**changes: Any) -> Media:
    fields: dict[str, Any] = {
        "key": "generations/x/0-a.png",
        "content_type": "image/png",
        "size_bytes": 1000,
        "sha256": "00",
        "width": 1024,
        "height": 1024,
        "duration_seconds": 0.0,
    }
    return Media(**{**fields, **changes})


def an_item(**changes: Any) -> Item:
    fields: dict[str, Any] = {
        "item_id": ITEM_ID,
        "generation_id": GENERATION_ID,
        "user_id": "telegram-1",
        "type": "imagen4",
        "kind": MediaKind.IMAGE,
        "index": 0,
        "model": "fal-ai/imagen4/preview",
        "prompt": "кот",
        "effective_prompt": "кот",
        "aspect_ratio": "1:1",
        "seed": 1,
        "credits": 5,
        "media": media(),
        "thumbnail": media(key="generations/x/0-a.thumbnail.webp"),
        "favorite": False,
        "trashed": False,
        "create_time": NOW,
        "update_position": 1,
    }
    return Item(**{**fields, **changes})


def a_generation(state: GenerationState = GenerationState.QUEUED, **changes: Any) -> Generation:
    fields: dict[str, Any] = {
        "generation_id": GENERATION_ID,
        "user_id": "telegram-1",
        "request_id": "r",
        "type": "imagen4",
        "model": "fal-ai/imagen4/preview",
        "state": state,
        "prompt": "кот",
        "effective_prompt": "",
        "prompt_source": PromptSource.NONE,
        "own_words_reason": OwnWordsReason.NONE,
        "aspect_ratio": "1:1",
        "output_count": 1,
        "seed": None,
        "reference_media_id": "",
        "enhance_prompt": True,
        "credits_per_output": 5,
        "credits_debited": 5,
        "credits_refunded": 0,
        "delivered_count": 0,
        "items": (),
        "queue_position": None,
        "progress_message": "",
        "failure": None,
        "cancel_refusal": "",
        "provider_request_id": "",
        "create_time": NOW,
        "deadline_time": NOW,
        "end_time": None,
        "update_position": 1,
        "undelivered_detail": "",
    }
    return Generation(**{**fields, **changes})


def a_failure(reason: FailureReason = FailureReason.NO_OUTPUT) -> Failure:
    message = LocalizedText(ru="Картинка не вышла.", en="No picture came.")
    return Failure(reason=reason, message=message, operator_detail="")
