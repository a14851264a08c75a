"""Deep links: ``t.me/BOT?start=PAYLOAD`` opens the chat and sends the payload.

``new`` opens the creation menu, ``new_TYPE`` an order of a type, ``gallery`` the gallery, ``item_ID`` an item of it.
Telegram allows letters, digits, "_" and "-" in a payload, so the dot in an item's id is written "_".
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ITEM, NEW, GALLERY = "item_", "new", "gallery"


class Target(NamedTuple):
    """Where a link leads. ``name`` is an item's id or a type."""

    place: Literal["start", "new", "gallery", "item"]
    name: str = ""


def item_payload(item_id: str) -> str:
    """The payload that opens an item, for whose it is."""
    return ITEM + item_id.replace(".", "_")


def target_of(payload: str) -> Target:
    """Where a payload leads; to the start for one that is not known."""
    if payload.startswith(ITEM):
        generation_id, _, index = payload.removeprefix(ITEM).rpartition("_")
        return Target("item", f"{generation_id}.{index}") if generation_id else Target("start")
    if payload == GALLERY:
        return Target("gallery")
    if payload == NEW or payload.startswith(f"{NEW}_"):
        return Target("new", payload.removeprefix(NEW).removeprefix("_"))
    return Target("start")
