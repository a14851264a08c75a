"""Galleries with something in them, and what tests of the API ask of them."""

from __future__ import annotations

from typing import Any

from triptych.v1 import gallery_service_pb2 as pb

from tests.support.api import BOUND_SECONDS, Api


async def gallery_of(api: Api, prompts: list[str]) -> tuple[str, list[str], int]:
    """A user with a picture for each prompt: ``(user_id, item ids oldest first, position)``."""
    user_id = await api.user_with(1000)
    items, position = [], 0
    for prompt in prompts:
        generation = (await api.request(user_id, prompt=prompt)).generation
        await api.prepare(generation)
        position = await api.deliver(generation, 1)
        items.append(f"{generation.generation_id}.0")
    return user_id, items, position


async def list_items(api: Api, user_id: str, position: int = 0, **changes: Any) -> pb.ListItemsResponse:
    request = pb.ListItemsRequest(user_id=user_id, at_least_position=position, **changes)
    response: pb.ListItemsResponse = await api.gallery.ListItems(request, timeout=BOUND_SECONDS)
    return response


def ids(items: Any) -> list[str]:
    return [item.item_id for item in items]


async def curate(api: Api, verb: str, user_id: str, item_id: str) -> Any:
    request = getattr(pb, f"{verb}ItemRequest")(user_id=user_id, item_id=item_id)
    return await getattr(api.gallery, f"{verb}Item")(request, timeout=BOUND_SECONDS)
