"""Whose an event is, and of which type of generation, also where the event itself names only the generation.

Both stand in the generation's first event and never change. It usually passes shortly before the others; what has
passed is remembered, the rest is looked up in the log: the first events of many streams with one read. So nothing
but the log is asked, and a replay tells the same whatever the read models do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cachetools import LRUCache

from service.domain.generation.events import GenerationRequested, ItemImported
from service.domain.ids import generation_stream
from service.ports.event_store import EventStore, RecordedEvent

REMEMBERED = 50_000
"""Generations, at about 300 bytes each."""


class Owner(NamedTuple):
    """Empty where there is none: a grant is about no generation."""

    user_id: str = ""
    generation_type: str = ""


class OwnedEvent(NamedTuple):
    """An event, with what it leaves unsaid."""

    recorded: RecordedEvent
    owner: Owner


class Owners:
    def __init__(self, store: EventStore, *, remembered: int = REMEMBERED) -> None:
        self._store = store
        self._known: LRUCache[str, Owner] = LRUCache(remembered)

    async def of(self, events: Sequence[RecordedEvent]) -> list[OwnedEvent]:
        """Each event with its owner."""
        found: dict[str, Owner] = {}
        for each in events:
            if isinstance(each.event, GenerationRequested | ItemImported):
                found[each.event.generation_id] = _owner(each.event)
        wanted = {generation_id for each in events if (generation_id := _generation_id(each))} - found.keys()
        found |= await self.of_generations(wanted)
        self._known.update(found)
        return [OwnedEvent(each, _settle(each, found)) for each in events]

    async def of_generations(self, generation_ids: set[str], *, until: int | None = None) -> Mapping[str, Owner]:
        """Those of them that were requested or imported, at position ``until`` if given."""
        found = {}
        if until is None:
            found = {each: owner for each in generation_ids if (owner := self._known.get(each)) is not None}
        if missing := generation_ids - found.keys():
            firsts = await self._store.read_streams([*map(generation_stream, missing)], until=until, limit=1)
            for each in firsts:
                if isinstance(each.event, GenerationRequested | ItemImported):
                    found[each.event.generation_id] = _owner(each.event)
        return found


def _owner(event: GenerationRequested | ItemImported) -> Owner:
    if isinstance(event, ItemImported):
        return Owner(event.user_id, event.generation_type)
    return Owner(event.user_id, event.asked.generation_type)


def _generation_id(recorded: RecordedEvent) -> str:
    return getattr(recorded.event, "generation_id", "")


def _settle(recorded: RecordedEvent, found: Mapping[str, Owner]) -> Owner:
    owner = found.get(_generation_id(recorded), Owner())
    return owner if owner.user_id else Owner(getattr(recorded.event, "user_id", ""), owner.generation_type)
