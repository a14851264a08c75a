"""An order that is being put together in a chat; kept in the dialogue until it is sent or dropped.

What is asked next follows from the order itself: a photo if its type needs one, then words, then the summary with
the price. ``message_id`` is the message that shows the summary. Its chat and id name the order (``request_id``), so
that a second tap, or the same tap handled again after a restart, is the same order. A summary that is shown anew
lower down is another message, and so another order.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from clients.sdk import Generation, GenerationType

SEED_BITS = 31


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen so far."""

    type: str
    prompt: str = ""
    aspect_ratio: str = ""
    output_count: int = 1
    own_words: bool = False
    reference_media_id: str = ""
    message_id: int = 0
    """Of the summary; 0 while there is none."""
    another: bool = False
    """Whether it is one more of something: then it gets a seed of its own."""

    @classmethod
    def new(cls, kind: GenerationType, prompt: str = "") -> Draft:
        return cls(type=kind.type, prompt=prompt, aspect_ratio=kind.aspect_ratios[0])

    @classmethod
    def like(cls, made: Generation, kind: GenerationType, *, another: bool) -> Draft:
        """One with the settings of a generation; of one that asked for several, one more."""
        known = made.aspect_ratio in kind.aspect_ratios
        return cls(
            type=kind.type,
            prompt=made.prompt,
            aspect_ratio=made.aspect_ratio if known else kind.aspect_ratios[0],
            own_words=not made.enhance_prompt,
            reference_media_id=made.reference_media_id if kind.needs_reference else "",
            another=another,
        )

    def changed(self, **fields: Any) -> Draft:
        """The same with other fields."""
        return msgspec.structs.replace(self, **fields)

    def lacks_photo(self, kind: GenerationType) -> bool:
        return kind.needs_reference and not self.reference_media_id

    def price(self, kind: GenerationType) -> int:
        """In credits."""
        return kind.credits_per_output * self.output_count

    def to_data(self) -> dict[str, Any]:
        """For the dialogue's storage."""
        return {"draft": msgspec.to_builtins(self)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Draft | None:
        """The dialogue's order, if there is one."""
        return msgspec.convert(data["draft"], cls) if "draft" in data else None


def request_id(bot_id: int, chat_id: int, message_id: int) -> str:
    """The name of the order whose summary is this message."""
    return f"telegram-{bot_id}-{chat_id}-{message_id}"


def seed_of(name: str) -> int:
    """A seed that differs from order to order and is the same when one is sent again."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> (32 - SEED_BITS)
