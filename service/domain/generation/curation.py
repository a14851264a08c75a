"""What a user does with an item of the gallery. Doing it twice is doing it once."""

from __future__ import annotations

from collections.abc import Callable

from service.domain.errors import NotFound
from service.domain.generation import events as e
from service.domain.generation.state import Generation, Item

ItemDecision = Callable[[Generation, str, str], list[e.GenerationEvent]]
"""``(state, user_id, item_id) -> events``; raises NotFound for an item that is not this user's."""


def favorite(state: Generation, user_id: str, item_id: str) -> list[e.GenerationEvent]:
    item = _own(state, user_id, item_id)
    return [] if item.favorite else [e.ItemFavorited(generation_id=state.generation_id, item_id=item_id)]


def unfavorite(state: Generation, user_id: str, item_id: str) -> list[e.GenerationEvent]:
    item = _own(state, user_id, item_id)
    return [e.ItemUnfavorited(generation_id=state.generation_id, item_id=item_id)] if item.favorite else []


def trash(state: Generation, user_id: str, item_id: str) -> list[e.GenerationEvent]:
    item = _own(state, user_id, item_id)
    return [] if item.trashed else [e.ItemTrashed(generation_id=state.generation_id, item_id=item_id)]


def restore(state: Generation, user_id: str, item_id: str) -> list[e.GenerationEvent]:
    item = _own(state, user_id, item_id)
    return [e.ItemRestored(generation_id=state.generation_id, item_id=item_id)] if item.trashed else []


def _own(state: Generation, user_id: str, item_id: str) -> Item:
    item = state.item(item_id) if state.user_id == user_id else None
    if item is None:
        raise NotFound("item", item_id)
    return item
