"""What a chat looks at: which list of its gallery, and where in it.

A place in a list is a token that the service gives with its neighbours, so a step costs the same in a gallery of any
size; the number that people see ("3 of 12") is counted along. It is put right at both ends of the list, and when new
items come before it.
"""

from __future__ import annotations

import msgspec

from clients.sdk import ItemFilter, TypeCount

FAVORITES = "favorites"
TRASH = "trash"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The gallery message of a chat. ``list_name`` is a type, "" for all, FAVORITES or TRASH."""

    list_name: str = ""
    token: str = ""
    """Of the page that holds the item alone; "" is the newest."""
    newer_token: str = ""
    older_token: str = ""
    item_id: str = ""
    """"" while the list is empty."""
    number: int = 0
    """From 1; 0 where it is not known."""
    total: int = 0
    alone: bool = False
    """Whether the item is shown without its neighbours: it was linked to, and lies far down."""
    direction: int = 1
    """The way that led here: 1 to the older, -1 to the newer. The token goes on in this direction."""
    message_id: int = 0
    with_media: bool = False
    """Whether the message shows a picture or a video, or text alone: Telegram makes no text of a picture."""


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """The statement message of a chat."""

    newer_token: str = ""
    older_token: str = ""
    message_id: int = 0


def where(list_name: str) -> ItemFilter:
    """Which items a list holds, as the service is asked."""
    if list_name == FAVORITES:
        return {"favorite_only": True}
    if list_name == TRASH:
        return {"trashed": True}
    return {"type": list_name or None}


def counts_of(counts: tuple[TypeCount, ...]) -> dict[str, int]:
    """How many items each list holds."""
    by_type = {each.type: each.count for each in counts}
    return {
        **by_type,
        "": sum(by_type.values()),
        FAVORITES: sum(each.favorite_count for each in counts),
        TRASH: sum(each.trashed_count for each in counts),
    }


def number_after(view: View, step: int, change: int, total: int, *, first: bool, last: bool) -> int:
    """The number after ``step`` (-1 newer, 1 older, 0 the same place) in a list that holds ``total`` now.

    ``change`` is what was done to the item itself since ``view``: -1 taken out, 1 put back. Its place is then taken
    by the next one in the view's direction. Other items that came since then came before this one.
    """
    if not total:
        return 0
    if first:
        return 1
    if last:
        return total
    if not view.number:
        return 0
    if change and view.direction < 0:
        step += change
    came = max(0, total - view.total - change) if view.total else 0
    return max(1, min(view.number + step + came, total))
