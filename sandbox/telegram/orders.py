"""What can be ordered over the control API: the bodies of its requests, checked by their types."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

MAX_WAIT_SECONDS: Final = 60.0
MAX_PRESSES: Final = 20

WaitSeconds = Annotated[float, Meta(ge=0, le=MAX_WAIT_SECONDS)]


class Meet(Struct, forbid_unknown_fields=True):
    """Who a person is; what is not told stays as it was."""

    first_name: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    last_name: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    username: Annotated[str, Meta(pattern="^(\\w{4,32})?$")] | UnsetType = UNSET
    language_code: Annotated[str, Meta(pattern="^([a-z]{2,3}(-[A-Za-z0-9]+)*)?$")] | UnsetType = UNSET


class Look(Struct, forbid_unknown_fields=True):
    """Waits until more than change ``seen`` has happened, at most so long."""

    seen: int = 0
    wait_seconds: WaitSeconds = 0.0


class Write(Struct, forbid_unknown_fields=True):
    """A text; or ``start``, the payload of a deep link, perhaps empty."""

    text: str = ""
    start: str | None = None


class Press(Struct, forbid_unknown_fields=True):
    """Presses the button with this data or text, so many times at once; ``wait_seconds`` 0 does not wait."""

    message_id: int
    button: str
    times: Annotated[int, Meta(ge=1, le=MAX_PRESSES)] = 1
    wait_seconds: WaitSeconds = MAX_WAIT_SECONDS


class Block(Struct, forbid_unknown_fields=True):
    """Whether the person has blocked the bot."""

    blocked: bool


class Listening(Struct, forbid_unknown_fields=True):
    """Whether the Bot API's port is open."""

    open: bool


class FaultOrder(Struct, forbid_unknown_fields=True):
    """Lets the next ``count`` calls of ``method`` fail; see ``sandbox.telegram.faults``."""

    method: str
    kind: str
    count: int = 1
    seconds: float = 1.0
