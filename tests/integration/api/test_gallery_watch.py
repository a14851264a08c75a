"""GalleryService: what watchers of a gallery are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.item_pb2 import Item

from tests.support.api import BOUND_SECONDS, Api, bounded, fresh_name
from tests.support.galleries import curate, gallery_of
from tests.support.grpc_errors import refusal_of


class Gallery:
    """What a watcher has of a gallery."""

    def __init__(self, stream: AsyncIterator[pb.WatchItemsResponse]) -> None:
        self._stream = stream
        self.items: dict[str, Item] = {}
        self.position = 0

    async def reach(self, position: int) -> list[str]:
        """Until everything up to ``position`` is told; the ids there are then."""
        told = False
        while not told or self.position < position:
            response = await bounded(self._stream)
            self.items |= {item.item_id: item for item in response.items}
            for item_id in response.removed_item_ids:
                self.items.pop(item_id, None)
            self.position, told = response.position, response.caught_up
        return sorted(self.items)


def watch(api: Api, user_id: str, **changes: Any) -> Gallery:
    request = pb.WatchItemsRequest(user_id=user_id, **changes)
    return Gallery(aiter(api.gallery.WatchItems(request, timeout=BOUND_SECONDS * 2)))


async def test_watcher_gets_what_is_there_and_what_changes(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two"])
    gallery = watch(api, user_id)
    assert await gallery.reach(position) == sorted(items)

    generation = (await api.request(user_id)).generation
    position = await api.deliver(generation, 1)
    third = f"{generation.generation_id}.0"
    assert await gallery.reach(position) == sorted([*items, third])

    position = (await curate(api, "Favorite", user_id, third)).position
    await gallery.reach(position)
    assert gallery.items[third].favorite

    position = (await curate(api, "Trash", user_id, items[0])).position
    assert await gallery.reach(position) == sorted([items[1], third])
    position = (await curate(api, "Restore", user_id, items[0])).position
    assert await gallery.reach(position) == sorted([*items, third])


async def test_watcher_of_an_empty_gallery_is_told_so(api: Api) -> None:
    assert await watch(api, fresh_name()).reach(0) == []


async def test_watcher_resumes_where_it_was(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two"])
    gallery = watch(api, user_id)
    await gallery.reach(position)
    trashed_at = (await curate(api, "Trash", user_id, items[0])).position
    resumed = watch(api, user_id, after_position=gallery.position)
    resumed.items = dict(gallery.items)
    assert await resumed.reach(trashed_at) == [items[1]]


async def test_watcher_of_one_type_sees_no_other(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one"])
    assert await watch(api, user_id, type="imagen4").reach(position) == items
    assert await watch(api, user_id, type="video").reach(position) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("user_id", {"user_id": ""}),
        ("type", {"type": "poster"}),
        ("after_position", {"after_position": 10**12}),
        ("after_position", {"after_position": -3}),
    ],
)
async def test_watch_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    request = pb.WatchItemsRequest(**({"user_id": "u"} | changes))
    refusal = await refusal_of(api.gallery.WatchItems(request, timeout=BOUND_SECONDS))
    assert list(refusal.fields) == [field]
