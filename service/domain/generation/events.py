"""The events of a generation and of the items it produced. Names and fields are stored data and never change.

GenerationRequested -> PromptModerated -> PromptEnhanced
  -> SubmissionStarted -> (SubmissionDeferred -> SubmissionStarted ...) -> GenerationSubmitted
  -> ImageProduced | VideoProduced ... and exactly one of
     GenerationSucceeded | GenerationFailed | GenerationCancelled

ItemImported stands for all of that where an older gallery had made the item.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from service.domain.decider import DomainEvent

FailureReason = Literal["content_policy", "invalid_input", "no_output", "vendor_unavailable", "timed_out", "internal"]


class AskedParameters(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The request as it was sent, with what was left out left empty: a retry is compared with this."""

    generation_type: str
    prompt: str
    aspect_ratio: str = ""
    output_count: int = 0
    seed: int | None = None
    reference_media_id: str = ""
    enhance_prompt: bool = True


class GenerationRequested(DomainEvent, frozen=True):
    """A user asked for pictures or a video, and paid. Stands in one append with its CreditsDebited."""

    generation_id: str
    user_id: str
    request_id: str
    asked: AskedParameters
    model: str
    """The vendor's model, from the catalog of that day."""
    aspect_ratio: str
    output_count: int
    credits_per_output: int
    requested_at: datetime
    deadline_at: datetime
    """UTC; what has not ended by then is failed and paid back."""


class PromptModerated(DomainEvent, frozen=True):
    """The prompt was checked. When it is refused, GenerationFailed stands in the same append."""

    generation_id: str
    allowed: bool
    categories: tuple[str, ...] = ()
    """The vendor's names of what was found, when refused."""
    model: str = ""
    skipped: bool = False
    """True when moderation was away and the operator's settings let prompts pass then."""


PromptSource = Literal["improved", "own_words"]
OwnWordsReason = Literal["", "asked", "unavailable", "refused"]


class PromptEnhanced(DomainEvent, frozen=True):
    """It is settled which words go to the vendor: improved ones, or the user's own and why."""

    generation_id: str
    prompt: str
    source: PromptSource
    own_words_reason: OwnWordsReason = ""
    model: str = ""


class SubmissionStarted(DomainEvent, frozen=True):
    """The vendor is about to be called. Until an answer is recorded the outcome is unknown: it may cost money."""

    generation_id: str
    attempt: int
    """From 1."""
    started_at: datetime
    grace_until: datetime
    """UTC; how long a lost answer is waited for (the webhook may bring it)."""


class SubmissionDeferred(DomainEvent, frozen=True):
    """The vendor surely did not take the request; it will be submitted again."""

    generation_id: str
    attempt: int
    retry_at: datetime
    detail: str = ""


class GenerationSubmitted(DomainEvent, frozen=True):
    """The vendor has taken the request."""

    generation_id: str
    provider_request_id: str
    learned_from: Literal["answer", "webhook"] = "answer"


class CancellationRequested(DomainEvent, frozen=True):
    """The user wants out while the vendor has it; whether that is still possible the vendor decides."""

    generation_id: str
    actor: str = ""


class CancellationRefused(DomainEvent, frozen=True):
    """Too late to cancel; the generation goes on."""

    generation_id: str
    why: str


class StoredMedia(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A file in our media store. Sizes in bytes, pixels and seconds."""

    key: str
    content_type: str
    size_bytes: int
    sha256: str
    width: int
    height: int
    duration_seconds: float = 0.0


class ImageProduced(DomainEvent, frozen=True):
    """A picture was delivered and is in our media store."""

    generation_id: str
    item_id: str
    index: int
    media: StoredMedia
    thumbnail: StoredMedia
    seed: int | None = None


class VideoProduced(DomainEvent, frozen=True):
    """A video was delivered and is in our media store; the thumbnail is its poster frame."""

    generation_id: str
    item_id: str
    index: int
    media: StoredMedia
    thumbnail: StoredMedia
    seed: int | None = None


class GenerationSucceeded(DomainEvent, frozen=True):
    """At least one output was delivered. For those that were not, CreditsRefunded stands in the same append."""

    generation_id: str
    delivered_count: int
    credits_refunded: int = 0
    undelivered_detail: str = ""


class GenerationFailed(DomainEvent, frozen=True):
    """Nothing was delivered. The CreditsRefunded of all of it stands in the same append."""

    generation_id: str
    failure_reason: FailureReason
    credits_refunded: int
    detail: str = ""
    """For the operator; never shown to the user."""


class GenerationCancelled(DomainEvent, frozen=True):
    """The user cancelled in time. The CreditsRefunded of all of it stands in the same append."""

    generation_id: str
    credits_refunded: int
    actor: str = ""


class LateReportReceived(DomainEvent, frozen=True):
    """The vendor reported after the end. It changes nothing; recorded once, for the operator's bill."""

    generation_id: str
    provider_request_id: str
    vendor_status: str


class ItemImported(DomainEvent, frozen=True):
    """A picture or video of an older gallery came in, at no price. The first event of its stream, and its end; an
    ImportListed stands in the same append."""

    generation_id: str
    item_id: str
    user_id: str
    import_id: str
    """Its id in the older gallery; with the user it names the generation, so a row comes in once."""
    generation_type: str
    created_at: datetime
    """When it was made, as the older gallery tells."""
    media: StoredMedia
    thumbnail: StoredMedia
    source_model: str = ""
    """What made it, where that is known."""
    prompt: str = ""


class ItemFavorited(DomainEvent, frozen=True):
    """The user marked an item as a favourite."""

    generation_id: str
    item_id: str


class ItemUnfavorited(DomainEvent, frozen=True):
    """The user took that mark away again."""

    generation_id: str
    item_id: str


class ItemTrashed(DomainEvent, frozen=True):
    """Moved to the trash; its files stay, and it can be restored."""

    generation_id: str
    item_id: str


class ItemRestored(DomainEvent, frozen=True):
    """Taken back out of the trash."""

    generation_id: str
    item_id: str


EndEvent = GenerationSucceeded | GenerationFailed | GenerationCancelled
ItemEvent = ItemFavorited | ItemUnfavorited | ItemTrashed | ItemRestored
GenerationEvent = (
    GenerationRequested
    | PromptModerated
    | PromptEnhanced
    | SubmissionStarted
    | SubmissionDeferred
    | GenerationSubmitted
    | CancellationRequested
    | CancellationRefused
    | ImageProduced
    | VideoProduced
    | GenerationSucceeded
    | GenerationFailed
    | GenerationCancelled
    | LateReportReceived
    | ItemImported
    | ItemFavorited
    | ItemUnfavorited
    | ItemTrashed
    | ItemRestored
)
