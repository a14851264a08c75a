"""GalleryService: items, lists, searches, pages, counts."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1 import media_pb2

from tests.support.api import BOUND_SECONDS, Api, fresh_name
from tests.support.galleries import curate, gallery_of, ids, list_items
from tests.support.grpc_errors import refusal_of


async def test_item_has_all_that_is_known_of_it(api: Api) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=position)
    item = (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item
    assert (item.type, item.kind, item.index, item.credits) == ("imagen4", media_pb2.MEDIA_KIND_IMAGE, 0, 5)
    assert (item.prompt, item.effective_prompt, item.seed) == ("a red fox", "a red fox", 7)
    assert (item.media.width, item.media.height, item.media.content_type) == (64, 48, "image/png")
    assert not item.favorite
    assert not item.trashed


async def test_lists_go_both_ways(api: Api) -> None:
    user_id, items, position = await gallery_of(api, [f"fox number {number}" for number in range(5)])
    first = await list_items(api, user_id, position, page_size=2)
    second = await list_items(api, user_id, page_size=2, page_token=first.next_page_token)
    third = await list_items(api, user_id, page_size=2, page_token=second.next_page_token)
    assert ids(first.items) + ids(second.items) + ids(third.items) == items[::-1]
    assert (first.previous_page_token, third.next_page_token) == ("", "")
    back = await list_items(api, user_id, page_size=2, page_token=third.previous_page_token)
    assert ids(back.items) == ids(second.items)


async def test_filters(api: Api) -> None:
    user_id, items, _ = await gallery_of(api, ["a red fox in snow", "a blue fox", "рыжая лиса"])
    await curate(api, "Favorite", user_id, items[1])
    position = (await curate(api, "Trash", user_id, items[2])).position
    for changes, expected in (
        ({}, [items[1], items[0]]),
        ({"favorite_only": True}, [items[1]]),
        ({"trashed": True}, [items[2]]),
        ({"trashed": True, "words": "ЛИСА"}, [items[2]]),
        ({"words": "snow FOX"}, [items[0]]),
        ({"words": "fo"}, [items[1], items[0]]),
        ({"words": "dragon"}, []),
        ({"type": "imagen4"}, [items[1], items[0]]),
        ({"type": "video"}, []),
    ):
        assert ids((await list_items(api, user_id, position, **changes)).items) == expected, changes


async def test_search_takes_any_sign_for_what_it_is(api: Api) -> None:
    user_id, (snow, tree), position = await gallery_of(
        api, ["100% snow, 'quoted' \\ back|slash & more :* (brackets) 🦊", "Ёлка под снегом"]
    )
    for words, expected in {
        "100%": [snow],
        "'quoted'": [snow],
        "back|slash": [snow],
        "snow & more": [snow],
        "(brackets) | !snow <-> more": [snow],
        "елка": [tree],
        "ЁЛКА": [tree],
        "снег": [tree],
        "snow 🦊": [snow],
        "  ": [tree, snow],
        "%": [],
        "_": [],
        "'": [],
        "\\": [],
        ":*": [],
        "🦊": [],
    }.items():
        assert ids((await list_items(api, user_id, position, words=words)).items) == expected, words


async def test_pages_stay_in_place_when_new_items_come(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two", "three"])
    first = await list_items(api, user_id, position, page_size=1)
    for _ in range(2):
        generation = await api.made(user_id)
        items.append(f"{generation.generation_id}.0")
    position = (await curate(api, "Favorite", user_id, items[-1])).position

    page = await list_items(api, user_id, position, page_size=1, page_token=first.next_page_token)
    assert ids(page.items) == [items[1]]
    newer = []
    while page.previous_page_token:
        page = await list_items(api, user_id, page_size=1, page_token=page.previous_page_token)
        newer += ids(page.items)
    assert newer == items[2:]
    while page.next_page_token:
        page = await list_items(api, user_id, page_size=3, page_token=page.next_page_token)
        newer += ids(page.items)
    assert newer == [*items[2:], *items[3::-1]]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("user_id", {"user_id": "a/b"}),
        ("type", {"type": "poster"}),
        ("words", {"words": "x" * 201}),
        ("words", {"words": "a\0b"}),
        ("page_size", {"page_size": 201}),
        ("page_token", {"page_token": "nonsense"}),
        ("at_least_position", {"position": -1}),
    ],
)
async def test_list_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    refusal = await refusal_of(list_items(api, **({"user_id": fresh_name()} | changes)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]


async def test_token_with_other_filters_is_refused(api: Api) -> None:
    user_id, _, position = await gallery_of(api, ["one", "two"])
    token = (await list_items(api, user_id, position, page_size=1)).next_page_token
    refusal = await refusal_of(list_items(api, user_id, page_size=1, page_token=token, favorite_only=True))
    assert list(refusal.fields) == ["page_token"]


async def test_stream_brings_everything_in_pages(api: Api) -> None:
    user_id, items, position = await gallery_of(api, [f"fox number {number}" for number in range(5)])
    request = pb.StreamItemsRequest(user_id=user_id, page_size=2, at_least_position=position)
    pages = [ids(page.items) async for page in api.gallery.StreamItems(request, timeout=BOUND_SECONDS)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item_id for page in pages for item_id in page] == items[::-1]


async def test_stream_of_an_empty_gallery_just_ends(api: Api) -> None:
    request = pb.StreamItemsRequest(user_id=fresh_name())
    assert [page async for page in api.gallery.StreamItems(request, timeout=BOUND_SECONDS)] == []


async def test_counts_name_every_type(api: Api) -> None:
    user_id, items, _ = await gallery_of(api, ["one", "two", "three"])
    await curate(api, "Favorite", user_id, items[0])
    position = (await curate(api, "Trash", user_id, items[1])).position
    request = pb.CountItemsRequest(user_id=user_id, at_least_position=position)
    response = await api.gallery.CountItems(request, timeout=BOUND_SECONDS)
    counts = [(each.type, each.count, each.favorite_count, each.trashed_count) for each in response.counts]
    assert counts == [("avatar", 0, 0, 0), ("imagen4", 2, 1, 1), ("video", 0, 0, 0)]
