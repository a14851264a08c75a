"""Orders that are put together: what they keep, and how they are named."""

from __future__ import annotations

import json

from clients.telegram.draft import Draft, request_id, seed_of
from tests.unit.clients.telegram.samples import TYPES, a_generation

MAX_SEED = 2**31 - 1


def test_a_draft_survives_its_storage() -> None:
    draft = Draft.new(TYPES["imagen4"], "кот").changed(output_count=3, own_words=True, message_id=7)
    assert Draft.from_data(json.loads(json.dumps(draft.to_data()))) == draft
    assert Draft.from_data({}) is None


def test_another_has_the_same_settings_and_one_output() -> None:
    made = a_generation(prompt="кот", aspect_ratio="16:9", output_count=4, enhance_prompt=False, seed=5)
    draft = Draft.like(made, TYPES["imagen4"], another=True)
    assert (draft.prompt, draft.aspect_ratio, draft.output_count, draft.own_words) == ("кот", "16:9", 1, True)


def test_a_shape_that_is_no_more_gives_way_to_the_first() -> None:
    assert Draft.like(a_generation(aspect_ratio="21:9"), TYPES["imagen4"], another=False).aspect_ratio == "1:1"


def test_a_photo_is_asked_for_where_the_type_needs_one() -> None:
    draft = Draft.new(TYPES["avatar"])
    assert draft.lacks_photo(TYPES["avatar"])
    assert not draft.changed(reference_media_id="m").lacks_photo(TYPES["avatar"])
    assert not draft.lacks_photo(TYPES["imagen4"])


def test_orders_are_named_by_their_message_and_have_a_seed_of_their_own() -> None:
    names = {request_id(bot, chat, message) for bot in (1, 2) for chat in (1, 2) for message in range(50)}
    assert len(names) == 200
    seeds = {seed_of(name) for name in names}
    assert len(seeds) > 195
    assert all(0 <= seed <= MAX_SEED for seed in seeds)
    assert seed_of("a") == seed_of("a")
