"""What the buttons carry: at most 64 bytes, which Telegram sends back with a tap.

A button names what it is about itself (an item, a type), so that one in an old message does what it says, or is
refused; what is too long for it (places in lists) is kept with the chat (``store/chats.py``).
"""

from __future__ import annotations

from typing import Literal

from aiogram.filters.callback_data import CallbackData


class Menu(CallbackData, prefix="m", sep="|"):
    """To one of the bot's places."""

    to: Literal["start", "new", "gallery", "statement", "help"]


class New(CallbackData, prefix="n", sep="|"):
    """A new order of a type."""

    type: str


class Order(CallbackData, prefix="o", sep="|"):
    """Changes the order that is being put together, sends it, or drops it."""

    action: Literal["send", "own", "shapes", "shape", "counts", "count", "words", "photo", "summary", "drop"]
    value: str = ""


class Making(CallbackData, prefix="w", sep="|"):
    """About an order that was sent."""

    action: Literal["cancel", "again"]
    generation_id: str


class Browse(CallbackData, prefix="g", sep="|"):
    """Through the gallery: to the neighbours, or to another list (a type, "", "favorites", "trash")."""

    action: Literal["newer", "older", "list", "same"]
    value: str = ""


class OfItem(CallbackData, prefix="i", sep="|"):
    """Does something with an item."""

    action: Literal[
        "open",
        "actions",
        "back",
        "favorite",
        "unfavorite",
        "delete",
        "undo",
        "restore",
        "another",
        "words",
        "save",
        "prompt",
    ]
    item_id: str


class Statement(CallbackData, prefix="s", sep="|"):
    """Through the statement."""

    action: Literal["newer", "older"]
