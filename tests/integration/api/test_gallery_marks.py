"""GalleryService: favourites and the trash."""

from __future__ import annotations

import grpc
import pytest
from triptych.v1 import gallery_service_pb2 as pb

from tests.support.api import BOUND_SECONDS, Api, fresh_name
from tests.support.galleries import curate, gallery_of
from tests.support.grpc_errors import refusal_of


@pytest.mark.parametrize(
    ("verb", "undo", "mark"), [("Favorite", "Unfavorite", "favorite"), ("Trash", "Restore", "trashed")]
)
async def test_marks_come_and_go_and_twice_is_once(api: Api, verb: str, undo: str, mark: str) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    marked = await curate(api, verb, user_id, item_id)
    again = await curate(api, verb, user_id, item_id)
    assert getattr(marked.item, mark)
    assert (again.item, again.position) == (marked.item, marked.position)
    assert marked.position > position
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=marked.position)
    assert (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item == marked.item
    undone = await curate(api, undo, user_id, item_id)
    assert not getattr(undone.item, mark)


async def test_item_is_marked_before_the_gallery_shows_it(api: Api) -> None:
    user_id = await api.user_with(100)
    for _ in range(3):
        generation = await api.made(user_id)
        assert (await curate(api, "Favorite", user_id, f"{generation.generation_id}.0")).item.favorite


@pytest.mark.parametrize("verb", ["Get", "Favorite", "Unfavorite", "Trash", "Restore"])
async def test_item_that_is_not_there_or_not_theirs(api: Api, verb: str) -> None:
    user_id, (item_id,), _ = await gallery_of(api, ["a red fox"])
    for user, item in ((fresh_name(), item_id), (user_id, item_id.replace(".0", ".9"))):
        assert (await refusal_of(curate(api, verb, user, item))).code is grpc.StatusCode.NOT_FOUND
    for wrong in ("", "a/b", item_id + "/..", item_id[:-2]):
        assert list((await refusal_of(curate(api, verb, user_id, wrong))).fields) == ["item_id"]
