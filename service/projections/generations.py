"""How each generation stands: one row from its request to its end, with its outputs.

The outputs are kept in the row too, although the gallery has them: an answer about one generation is then of one
moment, and never says "succeeded" with the pictures still to come from another projection.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.domain.account import CreditsRefunded
from service.domain.generation import events as e
from service.domain.generation.events import StoredMedia
from service.domain.ids import imported_id
from service.ports.event_store import RecordedEvent
from service.ports.read_models import ENDED_STATES
from service.projections.generations_schema import SCHEMA_SQL, Output, StoredGeneration
from service.projections.projection import Connection, Projection, UnknownRow
from service.projections.rows import fetch, select_rows, upsert_rows, write

_SELECT = select_rows("generations", "generation_id", StoredGeneration)
_UPSERT = upsert_rows("generations", ["generation_id"], StoredGeneration)

_BEGINNINGS = (e.GenerationRequested, e.ItemImported)
_OUTPUT_EVENTS = (e.ImageProduced, e.VideoProduced, e.ItemFavorited, e.ItemUnfavorited, e.ItemTrashed, e.ItemRestored)
_STEP_EVENTS = (
    e.PromptModerated,
    e.PromptEnhanced,
    e.SubmissionStarted,
    e.SubmissionDeferred,
    e.GenerationSubmitted,
    e.CancellationRequested,
    e.CancellationRefused,
)
_END_EVENTS = (e.GenerationSucceeded, e.GenerationFailed, e.GenerationCancelled)


def begin(recorded: RecordedEvent, event: e.GenerationRequested) -> StoredGeneration:
    return StoredGeneration(
        generation_id=event.generation_id,
        user_id=event.user_id,
        request_id=event.request_id,
        generation_type=event.asked.generation_type,
        model=event.model,
        state="queued",
        cancelling=False,
        prompt=event.asked.prompt,
        improved_prompt="",
        prompt_source="",
        own_words_reason="",
        aspect_ratio=event.aspect_ratio,
        output_count=event.output_count,
        seed=event.asked.seed,
        enhance_prompt=event.asked.enhance_prompt,
        reference_media_id=event.asked.reference_media_id,
        credits_per_output=event.credits_per_output,
        # The debit stands in the same append; the account's invariants make the two equal.
        credits_debited=event.credits_per_output * event.output_count,
        credits_refunded=0,
        delivered_count=0,
        failure_reason="",
        failure_detail="",
        cancel_refused_why="",
        provider_request_id="",
        create_time=event.requested_at,
        create_position=recorded.position,
        deadline_time=event.deadline_at,
        end_time=None,
        update_position=recorded.position,
        outputs=[],
        imported=False,
    )


def begin_imported(recorded: RecordedEvent, event: e.ItemImported) -> StoredGeneration:
    """A generation that was over before it came in: one output, no price, nothing that was asked for."""
    output = _output(recorded, event.created_at, event.item_id, 0, event.media, event.thumbnail)
    return StoredGeneration(
        generation_id=event.generation_id,
        user_id=event.user_id,
        request_id=imported_id(event.import_id),
        generation_type=event.generation_type,
        model=event.source_model,
        state="succeeded",
        cancelling=False,
        prompt=event.prompt,
        improved_prompt="",
        prompt_source="",
        own_words_reason="",
        aspect_ratio="",
        output_count=1,
        seed=None,
        enhance_prompt=False,
        reference_media_id="",
        credits_per_output=0,
        credits_debited=0,
        credits_refunded=0,
        delivered_count=1,
        failure_reason="",
        failure_detail="",
        cancel_refused_why="",
        provider_request_id="",
        create_time=event.created_at,
        create_position=recorded.position,
        deadline_time=event.created_at,
        end_time=event.created_at,
        update_position=recorded.position,
        outputs=[output],
        imported=True,
    )


def change(row: StoredGeneration, recorded: RecordedEvent) -> None:
    """Brings a row up to an event of its generation."""
    row.update_position = recorded.position
    event = recorded.event
    if isinstance(event, CreditsRefunded):
        row.credits_refunded += event.credits
    elif isinstance(event, _OUTPUT_EVENTS):
        _change_outputs(row, recorded, event)
    elif isinstance(event, _END_EVENTS):
        _end(row, recorded, event)
    elif row.state not in ENDED_STATES:
        _step(row, event)


def _step(row: StoredGeneration, event: object) -> None:
    match event:
        case e.PromptModerated():
            row.state = "preparing"
        case e.PromptEnhanced():
            row.improved_prompt = event.prompt
            row.prompt_source = event.source
            row.own_words_reason = event.own_words_reason
        case e.SubmissionStarted():
            row.state = "submitting"
        case e.SubmissionDeferred():
            row.state = "preparing"
        case e.GenerationSubmitted():
            row.state = "submitted"
            row.provider_request_id = event.provider_request_id
        case e.CancellationRequested():
            row.cancelling = True
            row.cancel_refused_why = ""
        case e.CancellationRefused():
            row.cancelling = False
            row.cancel_refused_why = event.why


def _end(row: StoredGeneration, recorded: RecordedEvent, event: e.EndEvent) -> None:
    row.end_time = recorded.recorded_at
    row.cancelling = False
    match event:
        case e.GenerationSucceeded():
            row.state = "succeeded"
            row.delivered_count = event.delivered_count
            row.failure_detail = event.undelivered_detail
        case e.GenerationFailed():
            row.state = "failed"
            row.failure_reason = event.failure_reason
            row.failure_detail = event.detail
        case e.GenerationCancelled():
            row.state = "cancelled"


def _change_outputs(
    row: StoredGeneration, recorded: RecordedEvent, event: e.ImageProduced | e.VideoProduced | e.ItemEvent
) -> None:
    if isinstance(event, e.ImageProduced | e.VideoProduced):
        row.outputs.append(
            _output(
                recorded, recorded.recorded_at, event.item_id, event.index, event.media, event.thumbnail, event.seed
            )
        )
        return
    output = next((each for each in row.outputs if each.item_id == event.item_id), None)
    if output is None:
        raise UnknownRow("generations", "item", event.item_id)
    output.update_position = recorded.position
    match event:
        case e.ItemFavorited() | e.ItemUnfavorited():
            output.favorite = isinstance(event, e.ItemFavorited)
        case e.ItemTrashed() | e.ItemRestored():
            output.trashed = isinstance(event, e.ItemTrashed)


def _output(
    recorded: RecordedEvent,
    create_time: datetime,
    item_id: str,
    index: int,
    media: StoredMedia,
    thumbnail: StoredMedia,
    seed: int | None = None,
) -> Output:
    return Output(
        item_id=item_id,
        index=index,
        seed=seed,
        media=media,
        thumbnail=thumbnail,
        favorite=False,
        trashed=False,
        create_time=create_time,
        create_position=recorded.position,
        update_position=recorded.position,
    )


async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
    begun = {each.event.generation_id for each in events if isinstance(each.event, _BEGINNINGS)}
    touched = {each.event.generation_id for each in events}  # type: ignore[union-attr]
    rows = {row.generation_id: row for row in await fetch(connection, _SELECT, touched - begun, StoredGeneration)}
    for recorded in events:
        if isinstance(recorded.event, e.GenerationRequested):
            rows[recorded.event.generation_id] = begin(recorded, recorded.event)
            continue
        if isinstance(recorded.event, e.ItemImported):
            rows[recorded.event.generation_id] = begin_imported(recorded, recorded.event)
            continue
        generation_id: str = recorded.event.generation_id  # type: ignore[union-attr]
        row = rows.get(generation_id)
        if row is None:
            raise UnknownRow("generations", "generation", generation_id)
        change(row, recorded)
    await write(connection, _UPSERT, list(rows.values()))
    await _forget_progress(connection, events)
    return touched | {row.user_id for row in rows.values()}


async def _forget_progress(connection: Connection, events: Sequence[RecordedEvent]) -> None:
    """The vendor's reports about what has ended are of no use to anyone."""
    ended = [each.event.generation_id for each in events if isinstance(each.event, _END_EVENTS)]
    if ended:
        await connection.execute("DELETE FROM read.generation_progress WHERE generation_id = ANY(%s)", (ended,))


GENERATIONS = Projection(
    name="generations",
    version=3,
    event_types=frozenset(
        each.__name__ for each in (*_BEGINNINGS, *_STEP_EVENTS, *_OUTPUT_EVENTS, *_END_EVENTS, CreditsRefunded)
    ),
    schema_sql=SCHEMA_SQL,
    tables=("generations",),
    apply=apply,
)
