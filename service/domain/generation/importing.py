"""An item of an older gallery comes in: checked before its file is fetched, and recorded once.

There is nothing to ask for, to pay or to wait for: one event is the whole generation, and another one lists it for
the user.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from service.domain.catalog import UNSTORABLE
from service.domain.errors import InvalidField
from service.domain.generation.events import ItemImported, StoredMedia
from service.domain.generation.state import Generation, Phase
from service.domain.ids import check_external_id, generation_id_for, imported_id, item_id_for
from service.domain.imports import ImportListed

MAX_PROMPT_CHARACTERS = 10_000
"""As much as any catalog may allow a prompt to have."""
MAX_NAME_CHARACTERS = 200
CLOCK_TOLERANCE_SECONDS = 60.0
"""How far the older gallery's clock may have been ahead of ours."""


class OlderItem(msgspec.Struct, frozen=True, kw_only=True):
    """What an older gallery tells of an item, but for its file."""

    import_id: str
    """Its id there."""
    user_id: str
    created_at: datetime
    """Timezone-aware."""
    generation_type: str
    prompt: str = ""
    source_model: str = ""

    @property
    def generation_id(self) -> str:
        return generation_id_for(self.user_id, imported_id(self.import_id))


class Imported(NamedTuple):
    """Events for the user's imports and for the generation; none when it came in before."""

    imports: list[ImportListed]
    generation: list[ItemImported]


def check(item: OlderItem, *, types: Collection[str], now: datetime) -> None:
    """Raises InvalidField for what could not be recorded."""
    if not item.import_id:
        raise InvalidField("id", "is missing")
    for field, text in (("id", item.import_id), ("model", item.source_model)):
        if len(text) > MAX_NAME_CHARACTERS:
            raise InvalidField(field, f"has {len(text)} characters; at most {MAX_NAME_CHARACTERS} are possible")
    for field, text in (("id", item.import_id), ("model", item.source_model), ("prompt", item.prompt)):
        if UNSTORABLE.search(text):
            raise InvalidField(field, "has a character in it that cannot be stored")
    check_external_id("user_id", item.user_id)
    if item.generation_type not in types:
        raise InvalidField("type", f"{item.generation_type!r} is not a known type; there are: {', '.join(types)}")
    if item.created_at > now + timedelta(seconds=CLOCK_TOLERANCE_SECONDS):
        raise InvalidField(
            "created_at",
            f"{item.created_at.isoformat()} is in the future; it is {now.isoformat(timespec='seconds')}",
        )
    if len(item.prompt) > MAX_PROMPT_CHARACTERS:
        raise InvalidField("prompt", f"has {len(item.prompt)} characters; at most {MAX_PROMPT_CHARACTERS} are kept")


def differences(known: ItemImported, item: OlderItem) -> tuple[str, ...]:
    """The fields in which a row differs from what came in under its id."""
    recorded = (known.created_at, known.generation_type, known.prompt, known.source_model)
    told = (item.created_at, item.generation_type, item.prompt, item.source_model)
    names = ("created_at", "type", "prompt", "model")
    return tuple(name for name, before, now in zip(names, recorded, told, strict=True) if before != now)


def bring_in(generation: Generation, item: OlderItem, *, media: StoredMedia, thumbnail: StoredMedia) -> Imported:
    """Records a checked item whose file is in our store. What came in before changes nothing."""
    if generation.phase is not Phase.ABSENT:
        if generation.import_id != item.import_id:
            raise InvalidField("id", f"a request {imported_id(item.import_id)!r} was made here under this name")
        return Imported([], [])
    generation_id = item.generation_id
    event = ItemImported(
        generation_id=generation_id,
        item_id=item_id_for(generation_id, 0),
        user_id=item.user_id,
        import_id=item.import_id,
        generation_type=item.generation_type,
        created_at=item.created_at,
        media=media,
        thumbnail=thumbnail,
        source_model=item.source_model,
        prompt=item.prompt,
    )
    return Imported([ImportListed(user_id=item.user_id, generation_id=generation_id)], [event])
