"""The gallery: one table for pictures and video of every type, and the counts above it.

An item's prompt, model and price stand in its generation's first events, so a small helper table remembers
generations until they end. Counts are kept in steps of what each event changes, never counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from psycopg import sql

from service.domain.generation import events as e
from service.ports.event_store import RecordedEvent
from service.projections.gallery_rows import CountChange, Marks, NewItem, PendingGeneration
from service.projections.gallery_schema import SCHEMA_SQL
from service.projections.projection import Connection, Projection, UnknownRow
from service.projections.rows import fetch, select_rows, upsert_rows, write
from service.projections.words import lexemes

_PRODUCED = (e.ImageProduced, e.VideoProduced)
_MARKED = (e.ItemFavorited, e.ItemUnfavorited, e.ItemTrashed, e.ItemRestored)
_ENDED = (e.GenerationSucceeded, e.GenerationFailed, e.GenerationCancelled)

_SELECT_GENERATIONS = select_rows("gallery_generations", "generation_id", PendingGeneration)
_UPSERT_GENERATIONS = upsert_rows("gallery_generations", ["generation_id"], PendingGeneration)
_SELECT_MARKS = select_rows("gallery_items", "item_id", Marks)
_INSERT_ITEMS = sql.SQL("""
    INSERT INTO gallery_items (item_id, generation_id, user_id, generation_type, index, model, prompt,
        improved_prompt, aspect_ratio, seed, credits, media, thumbnail, favorite, trashed, create_time,
        create_position, update_position, imported, search)
    SELECT item_id, generation_id, user_id, generation_type, index, model, prompt, improved_prompt, aspect_ratio,
        seed, credits, media, thumbnail, favorite, trashed, create_time, create_position, update_position,
        imported, array_to_tsvector(words)
    FROM json_to_recordset(%s::json) AS row(item_id text, generation_id text, user_id text, generation_type text,
        index integer, model text, prompt text, improved_prompt text, aspect_ratio text, seed bigint,
        credits integer, media jsonb, thumbnail jsonb, favorite boolean, trashed boolean, create_time timestamptz,
        create_position bigint, update_position bigint, imported boolean, words text[])""").format()
_UPDATE_MARKS = sql.SQL("""
    UPDATE gallery_items AS item
    SET favorite = row.favorite, trashed = row.trashed, update_position = row.update_position
    FROM json_populate_recordset(NULL::gallery_items, %s::json) AS row
    WHERE item.item_id = row.item_id""").format()
_ADD_COUNTS = sql.SQL("""
    INSERT INTO gallery_counts AS counts (user_id, generation_type, count, favorite_count, trashed_count)
    SELECT user_id, generation_type, count, favorite_count, trashed_count
    FROM json_populate_recordset(NULL::gallery_counts, %s::json)
    ON CONFLICT (user_id, generation_type) DO UPDATE SET
        count = counts.count + excluded.count,
        favorite_count = counts.favorite_count + excluded.favorite_count,
        trashed_count = counts.trashed_count + excluded.trashed_count""").format()


class GalleryFold:
    """The rows that a batch of events touches, as they are while its events pass."""

    def __init__(self, generations: Iterable[PendingGeneration], known_items: Iterable[Marks]) -> None:
        self.generations = {each.generation_id: each for each in generations}
        self.stored_generations = set(self.generations)
        self.changed_generations: set[str] = set()
        self.ended: set[str] = set()
        self.items: dict[str, Marks] = {each.item_id: each for each in known_items}
        self.stored_items = set(self.items)
        self.counts: dict[tuple[str, str], CountChange] = {}
        self.keys: set[str] = set()

    def apply(self, recorded: RecordedEvent) -> None:
        match recorded.event:
            case e.GenerationRequested() as event:
                self._begin(event)
            case e.PromptEnhanced() as event:
                self._generation(event.generation_id).improved_prompt = event.prompt
                self.changed_generations.add(event.generation_id)
            case e.ImageProduced() | e.VideoProduced() as event:
                self._produce(recorded, event)
            case e.ItemImported() as event:
                self._import(recorded, event)
            case e.ItemFavorited() | e.ItemUnfavorited() | e.ItemTrashed() | e.ItemRestored() as event:
                self._mark(recorded, event)
            case e.GenerationSucceeded() | e.GenerationFailed() | e.GenerationCancelled() as event:
                self.ended.add(event.generation_id)

    def _begin(self, event: e.GenerationRequested) -> None:
        self.generations[event.generation_id] = PendingGeneration(
            generation_id=event.generation_id,
            user_id=event.user_id,
            generation_type=event.asked.generation_type,
            model=event.model,
            prompt=event.asked.prompt,
            improved_prompt=event.asked.prompt,
            aspect_ratio=event.aspect_ratio,
            credits=event.credits_per_output,
        )
        self.changed_generations.add(event.generation_id)

    def _produce(self, recorded: RecordedEvent, event: e.ImageProduced | e.VideoProduced) -> None:
        generation = self._generation(event.generation_id)
        item = NewItem(
            item_id=event.item_id,
            user_id=generation.user_id,
            generation_type=generation.generation_type,
            favorite=False,
            trashed=False,
            update_position=recorded.position,
            generation_id=event.generation_id,
            index=event.index,
            model=generation.model,
            prompt=generation.prompt,
            improved_prompt=generation.improved_prompt,
            aspect_ratio=generation.aspect_ratio,
            seed=event.seed,
            credits=generation.credits,
            media=event.media,
            thumbnail=event.thumbnail,
            create_time=recorded.recorded_at,
            create_position=recorded.position,
            imported=False,
            words=lexemes(generation.user_id, generation.prompt, generation.improved_prompt),
        )
        self._add(item)

    def _import(self, recorded: RecordedEvent, event: e.ItemImported) -> None:
        item = NewItem(
            item_id=event.item_id,
            user_id=event.user_id,
            generation_type=event.generation_type,
            favorite=False,
            trashed=False,
            update_position=recorded.position,
            generation_id=event.generation_id,
            index=0,
            model=event.source_model,
            prompt=event.prompt,
            improved_prompt=event.prompt,
            aspect_ratio="",
            seed=None,
            credits=0,
            media=event.media,
            thumbnail=event.thumbnail,
            create_time=event.created_at,
            create_position=recorded.position,
            imported=True,
            words=lexemes(event.user_id, event.prompt),
        )
        self._add(item)

    def _add(self, item: NewItem) -> None:
        if item.item_id in self.items:
            raise ValueError(f"item {item.item_id!r} is in the gallery already")
        self.items[item.item_id] = item
        self._count(item).add(item, +1)

    def _mark(self, recorded: RecordedEvent, event: e.ItemEvent) -> None:
        item = self.items.get(event.item_id)
        if item is None:
            raise UnknownRow("gallery", "item", event.item_id)
        count = self._count(item)
        count.add(item, -1)
        match event:
            case e.ItemFavorited() | e.ItemUnfavorited():
                item.favorite = isinstance(event, e.ItemFavorited)
            case e.ItemTrashed() | e.ItemRestored():
                item.trashed = isinstance(event, e.ItemTrashed)
        item.update_position = recorded.position
        count.add(item, +1)

    def _generation(self, generation_id: str) -> PendingGeneration:
        generation = self.generations.get(generation_id)
        if generation is None:
            raise UnknownRow("gallery", "generation", generation_id)
        return generation

    def _count(self, item: Marks) -> CountChange:
        self.keys.add(item.user_id)
        key = (item.user_id, item.generation_type)
        return self.counts.setdefault(key, CountChange(*key))


async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
    ids: dict[str, set[str]] = defaultdict(set)
    for recorded in events:
        match recorded.event:
            case e.ItemImported() as event:
                ids["produced"].add(event.item_id)
            case e.GenerationRequested() as event:
                ids["begun"].add(event.generation_id)
            case e.PromptEnhanced() | e.ImageProduced() | e.VideoProduced() as event:
                ids["generations"].add(event.generation_id)
                if isinstance(event, _PRODUCED):
                    ids["produced"].add(event.item_id)
            case e.ItemFavorited() | e.ItemUnfavorited() | e.ItemTrashed() | e.ItemRestored() as event:
                ids["marked"].add(event.item_id)
    batch = GalleryFold(
        await fetch(connection, _SELECT_GENERATIONS, ids["generations"] - ids["begun"], PendingGeneration),
        await fetch(connection, _SELECT_MARKS, ids["marked"] - ids["produced"], Marks),
    )
    for recorded in events:
        batch.apply(recorded)
    await _write(batch, connection)
    return batch.keys


async def _write(batch: GalleryFold, connection: Connection) -> None:
    open_generations = batch.changed_generations - batch.ended
    await write(connection, _UPSERT_GENERATIONS, [batch.generations[each] for each in open_generations])
    if stored := batch.ended - (batch.changed_generations - batch.stored_generations):
        await connection.execute("DELETE FROM gallery_generations WHERE generation_id = ANY(%s)", (list(stored),))
    new = [item for item_id, item in batch.items.items() if item_id not in batch.stored_items]
    known = [item for item_id, item in batch.items.items() if item_id in batch.stored_items]
    await write(connection, _INSERT_ITEMS, new)
    await write(connection, _UPDATE_MARKS, known)
    await write(connection, _ADD_COUNTS, list(batch.counts.values()))


GALLERY = Projection(
    name="gallery",
    version=3,
    event_types=frozenset(
        each.__name__
        for each in (e.GenerationRequested, e.PromptEnhanced, *_PRODUCED, e.ItemImported, *_MARKED, *_ENDED)
    ),
    schema_sql=SCHEMA_SQL,
    tables=("gallery_items", "gallery_counts"),
    apply=apply,
)
