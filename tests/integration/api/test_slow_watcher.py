"""A watcher that does not read: what waits for it is bounded, and once it reads it gets the newest state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub
from triptych.v1.item_pb2 import Item

from service.domain.generation import curation
from service.domain.generation.curation import ItemDecision
from tests.support.api import BOUND_SECONDS, WORKER, Api, bounded

CHANGES = 2000
# So long that a message is about 8 KiB: what a slow reader's window and buffers can hold are a few dozen of them.
PROMPT = "рыжая лиса на снегу " * 95
MOST_OLD_MESSAGES = 200

# A window that does not grow, so that the reader is slow from the first 64 KiB on.
SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]


@pytest.fixture
async def slow_gallery(api: Api) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(api.address, SMALL_WINDOW) as channel:
        yield GalleryServiceStub(channel)


@pytest.mark.timeout(300)
async def test_watcher_that_reads_nothing_gets_the_newest_state(api: Api, slow_gallery: Any) -> None:
    user_id = await api.user_with(1000)
    generations = [await api.made(user_id, prompt=PROMPT, output_count=4) for _ in range(5)]
    items = [f"{generation.generation_id}.{index}" for generation in generations for index in range(4)]

    call = slow_gallery.WatchItems(pb.WatchItemsRequest(user_id=user_id), timeout=10 * BOUND_SECONDS)
    stream = aiter(call)
    while not (await bounded(stream)).caught_up:
        pass

    position = await change_all(api, user_id, items)
    expected = (
        await api.gallery.GetItem(
            pb.GetItemRequest(user_id=user_id, item_id=items[0], at_least_position=position), timeout=BOUND_SECONDS
        )
    ).item

    messages = 0
    seen: dict[str, Item] = {}
    while True:
        response = await bounded(stream)
        messages += 1
        seen |= {item.item_id: item for item in response.items}
        if response.position >= position:
            break
    call.cancel()
    assert messages < MOST_OLD_MESSAGES, f"{messages} messages of {CHANGES} changes had been kept"
    assert seen[items[0]] == expected
    assert all(seen[item_id].favorite for item_id in items)


async def change_all(api: Api, user_id: str, items: list[str]) -> int:
    """``CHANGES`` changes of the gallery, after which every item is a favourite. Returns the last position."""

    async def change(item_id: str) -> int:
        position = 0
        for number in range(CHANGES // len(items)):
            decision: ItemDecision = curation.unfavorite if number % 2 else curation.favorite
            position = await apply(decision, item_id)
        return max(position, await apply(curation.favorite, item_id))

    async def apply(decision: ItemDecision, item_id: str) -> int:
        outcome = await api.core.curation.apply(decision, user_id=user_id, item_id=item_id, context=WORKER)
        return outcome.position

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(change(item_id)) for item_id in items]
    return max(task.result() for task in tasks)
