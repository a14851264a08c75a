"""What the service keeps, as frozen dataclasses with plain values.

Fields have the contract's names; ``protos/triptych/v1`` says what each holds, and ``docs/api.md`` how they hang
together. Credits are whole numbers, sizes are bytes, times are aware datetimes in UTC, what may be missing is None.
``to_dict`` makes any of them ready for JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clients.sdk.enums import (
    FailureReason,
    GenerationState,
    LedgerEntryKind,
    MediaKind,
    OwnWordsReason,
    PromptSource,
    RefundCause,
)
from clients.sdk.errors import NotDelivered


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalizedText:
    """One text in the languages that the service speaks."""

    ru: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in "ru" or, for any other language, in English."""
        return self.ru if language == "ru" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file in the service's media store; fetch it with ``download``."""

    key: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One picture or video of a user's gallery."""

    item_id: str
    generation_id: str
    user_id: str
    type: str
    kind: MediaKind
    index: int
    model: str
    prompt: str
    effective_prompt: str
    aspect_ratio: str
    seed: int | None
    credits: int
    media: Media
    thumbnail: Media
    favorite: bool
    trashed: bool
    create_time: datetime | None
    update_position: int
    imported: bool = False
    """From an older gallery: it cost nothing here, and prompt, model and aspect ratio may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a generation failed: for programs, for the user, for the operator."""

    reason: FailureReason
    message: LocalizedText
    operator_detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A request for pictures or a video, and what came of it."""

    generation_id: str
    user_id: str
    request_id: str
    type: str
    model: str
    state: GenerationState
    prompt: str
    effective_prompt: str
    prompt_source: PromptSource
    own_words_reason: OwnWordsReason
    aspect_ratio: str
    output_count: int
    seed: int | None
    reference_media_id: str
    enhance_prompt: bool
    credits_per_output: int
    credits_debited: int
    credits_refunded: int
    delivered_count: int
    items: tuple[Item, ...]
    queue_position: int | None
    progress_message: str
    failure: Failure | None
    cancel_refusal: str
    provider_request_id: str
    create_time: datetime | None
    deadline_time: datetime | None
    end_time: datetime | None
    update_position: int
    undelivered_detail: str
    imported: bool = False
    """It stands for what an older gallery had made: it was never requested here."""

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more, but for refunds by hand."""
        return self.state.ended

    @property
    def credits_charged(self) -> int:
        """What it costs now: what was taken less what came back."""
        return self.credits_debited - self.credits_refunded

    def require_success(self) -> Generation:
        """Itself if anything was delivered. Raises NotDelivered if not."""
        if self.state is GenerationState.SUCCEEDED:
            return self
        why = self.failure.message.en if self.failure else f"The generation is {self.state.value}."
        raise NotDelivered(self, why)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationType:
    """Something that can be asked for, with its price and limits."""

    type: str
    title: LocalizedText
    icon: str
    kind: MediaKind
    model: str
    credits_per_output: int
    max_output_count: int
    aspect_ratios: tuple[str, ...]
    needs_reference: bool
    deadline_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What can be asked for, in the operator's order."""

    types: tuple[GenerationType, ...]
    max_prompt_characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user's credits: balance = granted - debited + refunded."""

    user_id: str
    balance: int
    credits_granted: int
    credits_debited: int
    credits_refunded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One line of an account's statement; ``amount`` is signed."""

    entry_number: int
    kind: LedgerEntryKind
    amount: int
    balance_after: int
    generation_id: str
    generation_type: str
    grant_id: str
    refund_cause: RefundCause
    failure_reason: FailureReason
    note: str
    actor: str
    create_time: datetime | None
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeCount:
    """How many items of one type there are; favourites count among them, what is in the trash does not."""

    type: str
    count: int
    favorite_count: int
    trashed_count: int
