"""The log as analysts and other services read it: from here to there, only this, and on as it grows.

A moment is a position or a time; a time is a place in the log too, because times follow positions. So a replay is
always of a stretch of positions, and its last position is all that is needed to go on with it later.

What the store can pick out itself (types, and categories, which are sets of types) it does. Users and types of
generations are picked out here, of what passes. A replay of one user, unless the user has very much, does not go
through the log at all: it reads the streams of the user's account, imports and generations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from service.application import event_types
from service.application.owners import OwnedEvent, Owners
from service.application.streams import generations_of, read_generations, read_whole
from service.domain.errors import InvalidField
from service.domain.ids import account_stream, imports_stream
from service.ports.clock import Clock
from service.ports.event_store import EventStore, RecordedEvent

MOST_DIRECT_GENERATIONS = 2000
"""A user's history of up to so many generations is collected in memory."""
CLOCK_TOLERANCE_SECONDS = 60.0
"""How far a caller's clock may be ahead before its present is our future."""
_TICK = timedelta(microseconds=1)
_BEFORE_ALL_LOGS = datetime(1970, 1, 2, tzinfo=UTC)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; everything that is given must hold."""

    after_position: int = 0
    until_position: int = 0
    """Inclusive; 0: to the end."""
    start_time: datetime | None = None
    """Inclusive, like all times here timezone-aware."""
    end_time: datetime | None = None
    """Exclusive."""
    types: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    user_id: str = ""
    generation_type: str = ""


class HistoryBatch(msgspec.Struct, frozen=True):
    """The next events, maybe none. Everything up to ``position`` was delivered or left out."""

    events: Sequence[OwnedEvent]
    position: int
    caught_up: bool
    """Whether everything that was in the log when the replay began has been delivered or left out."""


class History:
    def __init__(
        self,
        store: EventStore,
        clock: Clock,
        *,
        schema_versions: Mapping[str, int] | None = None,
        most_direct_generations: int = MOST_DIRECT_GENERATIONS,
    ) -> None:
        """``schema_versions``: today's version of the stored form of each type that has had more than one.
        ``most_direct_generations``: the history of a user with more of them is picked out of the whole log."""
        self._store = store
        self._clock = clock
        self._most_direct_generations = most_direct_generations
        self._owners = Owners(store)
        self._schema_versions = schema_versions or {}

    async def head(self) -> int:
        return await self._store.head()

    async def event_types(self) -> list[event_types.EventTypeInfo]:
        """Every type there is, with how many of it are in the log."""
        return event_types.describe(await self._store.count_by_type(), self._schema_versions)

    async def as_of(self, moment: int | datetime) -> int:
        """The position that a past moment stands for. Raises InvalidField for one that has not come yet."""
        if isinstance(moment, datetime):
            _check_has_come("as_of_time", moment, self._clock.now())
            return await self._store.position_at(moment)
        return _check_position("as_of_position", moment, await self._store.head())

    async def replay(
        self, selection: Selection, *, follow: bool = False, batch_size: int = 500
    ) -> AsyncIterator[HistoryBatch]:
        """The selection's events, in batches; with ``follow`` it goes on live and never ends by itself.

        Raises InvalidField for what cannot be right.
        """
        head = await self._store.head()
        _check(selection, head, self._clock.now(), follow=follow)
        types = event_types.matching(selection.types, selection.categories)
        after, until = await self._stretch(selection, head)
        if selection.user_id and (events := await self._of_user(selection, after, until)) is not None:
            for start in range(0, len(events), batch_size):
                part = events[start : start + batch_size]
                yield HistoryBatch(await self._pick(part, selection, types), part[-1].position, caught_up=False)
            after = max(after, until)
        if follow:
            if after >= until:
                yield HistoryBatch((), after, caught_up=True)
            async for live in self._store.subscribe(after=after, types=types, batch_size=batch_size):
                picked = await self._pick(live.events, selection)
                yield HistoryBatch(picked, live.position, caught_up=live.position >= head)
            return
        async for stored in self._store.read_all(after=after, until=until, types=types, batch_size=batch_size):
            yield HistoryBatch(await self._pick(stored, selection), stored[-1].position, caught_up=False)
        yield HistoryBatch((), until, caught_up=True)

    async def _stretch(self, selection: Selection, head: int) -> tuple[int, int]:
        """``(after, until)`` in positions."""
        after, until = selection.after_position, selection.until_position or head
        if selection.start_time is not None:
            after = max(after, await self._store.position_at(_just_before(selection.start_time)))
        if selection.end_time is not None:
            until = min(until, await self._store.position_at(_just_before(selection.end_time)))
        return after, until

    async def _of_user(self, selection: Selection, after: int, until: int) -> list[RecordedEvent] | None:
        """All events of the user's streams in (after, until], in order; None when they are too many to collect."""
        generation_ids = await generations_of(self._store, selection.user_id, until=until)
        if len(generation_ids) > self._most_direct_generations:
            return None
        events = [
            each
            for stream in (account_stream(selection.user_id), imports_stream(selection.user_id))
            async for batch in read_whole(self._store, stream, until=until)
            for each in batch
            if each.position > after
        ]
        async for batch in read_generations(self._store, generation_ids, until=until):
            events += [each for each in batch if each.position > after]
        return sorted(events, key=lambda each: each.position)

    async def _pick(
        self, events: Sequence[RecordedEvent], selection: Selection, types: frozenset[str] | None = None
    ) -> list[OwnedEvent]:
        wanted = events if types is None else [each for each in events if each.type in types]
        return [
            each
            for each in await self._owners.of(wanted)
            if selection.user_id in ("", each.owner.user_id)
            and selection.generation_type in ("", each.owner.generation_type)
        ]


def _check(selection: Selection, head: int, now: datetime, *, follow: bool) -> None:
    event_types.check_known("types", selection.types, event_types.TYPES)
    event_types.check_known("categories", selection.categories, event_types.CATEGORIES)
    _check_position("after_position", selection.after_position, head)
    _check_position("until_position", selection.until_position, head)
    for field in ("start_time", "end_time"):
        time: datetime | None = getattr(selection, field)
        if time is not None:
            _check_has_come(field, time, now)
    if selection.until_position and selection.until_position < selection.after_position:
        raise InvalidField("until_position", f"is before after_position, which is {selection.after_position}")
    start, end = selection.start_time, selection.end_time
    if start is not None and end is not None and end < start:
        raise InvalidField("end_time", f"is before start_time, which is {start.isoformat()}")
    if follow and (selection.until_position or end is not None):
        given = "until_position" if selection.until_position else "end_time"
        raise InvalidField(given, "cannot be given with follow, which never ends; leave out one of them")


def _check_position(field: str, position: int, head: int) -> int:
    if not 0 <= position <= head:
        raise InvalidField(field, f"must be 0 to {head}, where the log ends now, not {position}")
    return position


def _check_has_come(field: str, time: datetime, now: datetime) -> None:
    if time > now + timedelta(seconds=CLOCK_TOLERANCE_SECONDS):
        raise InvalidField(field, f"{time.isoformat()} is in the future; it is {now.isoformat(timespec='seconds')}")


def _just_before(time: datetime) -> datetime:
    return max(time, _BEFORE_ALL_LOGS) - _TICK
