"""A generation: what was asked, how far it is, what came of it. Stream ``generation-{generation_id}``."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import msgspec

from service.domain.decider import Decider, DomainEvent
from service.domain.generation import events as e


class Phase(Enum):
    """How far a generation is. The last three are ends, and final."""

    ABSENT = "absent"
    REQUESTED = "queued"
    SUBMITTING = "submitting"
    """The vendor was called and no answer is recorded: it may or may not have the request."""
    SUBMITTED = "submitted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDS = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


class Item(msgspec.Struct, frozen=True):
    """An output as the gallery's owner keeps it."""

    item_id: str
    favorite: bool = False
    trashed: bool = False


class Generation(msgspec.Struct, frozen=True):
    generation_id: str = ""
    user_id: str = ""
    request_id: str = ""
    phase: Phase = Phase.ABSENT
    asked: e.AskedParameters | None = None
    model: str = ""
    aspect_ratio: str = ""
    output_count: int = 0
    credits_per_output: int = 0
    requested_at: datetime | None = None
    deadline_at: datetime | None = None
    moderated: bool = False
    prompt: str = ""
    """The words for the vendor; empty until settled."""
    prompt_source: str = ""
    own_words_reason: str = ""
    attempts: int = 0
    """Submissions started so far."""
    retry_at: datetime | None = None
    grace_until: datetime | None = None
    provider_request_id: str = ""
    cancelling: bool = False
    cancelling_actor: str = ""
    cancel_refused_why: str = ""
    items: tuple[Item, ...] = ()
    credits_refunded: int = 0
    failure_reason: str = ""
    late_report: bool = False
    import_id: str = ""
    """Of what came from an older gallery: its id there."""

    @property
    def ended(self) -> bool:
        return self.phase in ENDS

    @property
    def price(self) -> int:
        """Credits that were taken for it."""
        return self.credits_per_output * self.output_count

    def item(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.item_id == item_id), None)


def evolve(state: Generation, event: DomainEvent) -> Generation:
    """Total: every event in any order gives a state; what does not concern it changes nothing."""
    change = msgspec.structs.replace
    match event:
        case e.GenerationRequested():
            return _requested(state, event)
        case e.PromptModerated():
            return change(state, moderated=True)
        case e.PromptEnhanced():
            return change(
                state,
                prompt=event.prompt,
                prompt_source=event.source,
                own_words_reason=event.own_words_reason,
            )
        case e.SubmissionStarted():
            return change(
                state,
                phase=_unless_ended(state, Phase.SUBMITTING),
                attempts=event.attempt,
                grace_until=event.grace_until,
                retry_at=None,
            )
        case e.SubmissionDeferred():
            return change(state, phase=_unless_ended(state, Phase.REQUESTED), retry_at=event.retry_at)
        case e.GenerationSubmitted():
            return change(
                state,
                phase=_unless_ended(state, Phase.SUBMITTED),
                provider_request_id=event.provider_request_id,
            )
        case e.CancellationRequested():
            return change(state, cancelling=True, cancelling_actor=event.actor, cancel_refused_why="")
        case e.CancellationRefused():
            return change(state, cancelling=False, cancel_refused_why=event.why)
        case e.ImageProduced() | e.VideoProduced():
            return change(state, items=(*state.items, Item(event.item_id)))
        case e.LateReportReceived():
            return change(state, late_report=True)
        case e.ItemImported():
            return _imported(state, event)
    return _ended_or_curated(state, event)


def _requested(state: Generation, event: e.GenerationRequested) -> Generation:
    return msgspec.structs.replace(
        state,
        generation_id=event.generation_id,
        user_id=event.user_id,
        request_id=event.request_id,
        phase=_unless_ended(state, Phase.REQUESTED),
        asked=event.asked,
        model=event.model,
        aspect_ratio=event.aspect_ratio,
        output_count=event.output_count,
        credits_per_output=event.credits_per_output,
        requested_at=event.requested_at,
        deadline_at=event.deadline_at,
    )


def _imported(state: Generation, event: e.ItemImported) -> Generation:
    """Nothing was asked for and nothing paid: ``asked`` stays empty, so no request ever passes for this one."""
    return msgspec.structs.replace(
        state,
        generation_id=event.generation_id,
        user_id=event.user_id,
        import_id=event.import_id,
        phase=_unless_ended(state, Phase.SUCCEEDED),
        model=event.source_model,
        prompt=event.prompt,
        requested_at=event.created_at,
        items=(*state.items, Item(event.item_id)),
    )


def _ended_or_curated(state: Generation, event: DomainEvent) -> Generation:
    change = msgspec.structs.replace
    match event:
        case e.GenerationSucceeded():
            return change(state, phase=Phase.SUCCEEDED, credits_refunded=event.credits_refunded)
        case e.GenerationFailed():
            return change(
                state,
                phase=Phase.FAILED,
                credits_refunded=event.credits_refunded,
                failure_reason=event.failure_reason,
            )
        case e.GenerationCancelled():
            return change(state, phase=Phase.CANCELLED, credits_refunded=event.credits_refunded)
        case e.ItemFavorited():
            return _curated(state, event.item_id, favorite=True)
        case e.ItemUnfavorited():
            return _curated(state, event.item_id, favorite=False)
        case e.ItemTrashed():
            return _curated(state, event.item_id, trashed=True)
        case e.ItemRestored():
            return _curated(state, event.item_id, trashed=False)
    return state


def _curated(state: Generation, item_id: str, **marks: bool) -> Generation:
    items = tuple(msgspec.structs.replace(item, **marks) if item.item_id == item_id else item for item in state.items)
    return msgspec.structs.replace(state, items=items)


def _unless_ended(state: Generation, phase: Phase) -> Phase:
    return state.phase if state.ended else phase


GENERATION = Decider("generation", Generation(), evolve)
