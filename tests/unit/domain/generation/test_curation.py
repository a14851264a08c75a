"""What a user does with an item; twice is once, and a stranger's item is not there."""

from __future__ import annotations

import pytest

from service.domain.errors import NotFound
from service.domain.generation import events as e
from service.domain.generation.curation import ItemDecision, favorite, restore, trash, unfavorite
from service.domain.ids import item_id_for
from tests.support.given import given
from tests.support.samples import GENERATION_ID, OTHER_USER, USER, image, requested, succeeded

ITEM = item_id_for(GENERATION_ID, 0)
MADE = (requested(), image(0), image(1), succeeded(2, 10))
FAVORITED = e.ItemFavorited(generation_id=GENERATION_ID, item_id=ITEM)
UNFAVORITED = e.ItemUnfavorited(generation_id=GENERATION_ID, item_id=ITEM)
TRASHED = e.ItemTrashed(generation_id=GENERATION_ID, item_id=ITEM)
RESTORED = e.ItemRestored(generation_id=GENERATION_ID, item_id=ITEM)


@pytest.mark.parametrize(
    ("before", "decision", "event"),
    [
        ((), favorite, FAVORITED),
        ((FAVORITED,), unfavorite, UNFAVORITED),
        ((), trash, TRASHED),
        ((TRASHED,), restore, RESTORED),
    ],
)
def test_it_is_done_once(before: tuple[e.ItemEvent, ...], decision: ItemDecision, event: e.ItemEvent) -> None:
    given(*MADE, *before).when_generation(lambda g: decision(g, USER, ITEM)).then(event)
    given(*MADE, *before, event).when_generation(lambda g: decision(g, USER, ITEM)).then_nothing()


def test_one_item_is_marked_and_the_others_are_left_alone() -> None:
    items = given(*MADE, FAVORITED, TRASHED).generation.items
    assert [(item.favorite, item.trashed) for item in items] == [(True, True), (False, False)]


@pytest.mark.parametrize("decision", [favorite, unfavorite, trash, restore])
def test_a_strangers_item_and_one_that_was_never_made_are_not_there(decision: ItemDecision) -> None:
    given(*MADE).when_generation(lambda g: decision(g, OTHER_USER, ITEM)).then_refused(NotFound, name=ITEM)
    missing = item_id_for(GENERATION_ID, 7)
    given(*MADE).when_generation(lambda g: decision(g, USER, missing)).then_refused(NotFound, name=missing)
