"""The rows of the gallery's tables, as a fold has them in memory."""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.domain.generation.events import StoredMedia


class PendingGeneration(msgspec.Struct):
    """What items need to know of their generation."""

    generation_id: str
    user_id: str
    generation_type: str
    model: str
    prompt: str
    improved_prompt: str
    aspect_ratio: str
    credits: int


class Marks(msgspec.Struct):
    """The part of an item that its owner changes."""

    item_id: str
    user_id: str
    generation_type: str
    favorite: bool
    trashed: bool
    update_position: int


class NewItem(Marks):
    """A whole row; the columns of ``gallery_items``, with ``search`` still as words."""

    generation_id: str
    index: int
    model: str
    prompt: str
    improved_prompt: str
    aspect_ratio: str
    seed: int | None
    credits: int
    media: StoredMedia
    thumbnail: StoredMedia
    create_time: datetime
    create_position: int
    imported: bool
    words: list[str]


def place(item: NewItem) -> tuple[datetime, int]:
    """Where it stands in the gallery, which runs by this, the newest first; no two items share a place."""
    return item.create_time, item.create_position


class CountChange(msgspec.Struct):
    user_id: str
    generation_type: str
    count: int = 0
    favorite_count: int = 0
    trashed_count: int = 0

    def add(self, item: Marks, sign: int) -> None:
        self.count += sign * (not item.trashed)
        self.favorite_count += sign * (item.favorite and not item.trashed)
        self.trashed_count += sign * item.trashed
