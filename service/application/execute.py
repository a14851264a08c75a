"""Load, fold, decide, append; bounded retry on conflict.

Protocol:

- States are cached per stream with their version. A cached state is always what the log held at that version,
  only perhaps no longer the last. A command decides on it, and the append's version check proves it right: an
  ordinary command on a known account is one append and no read.
- A stream that the caller expects to be new (its id is derived from a new request) is guessed to be absent; the
  version check proves that as well.
- A stream that is not in the cache is folded from its newest snapshot, where it has one, and what came after it.
- A refusal, and the finding that nothing has to change, are final only on states read within the command.
- Commands of this process on one stream take turns. Deciding on appends in flight would be wrong: should the
  first fail because another process took its version, the next would pass its check on a state that never was.
- An append whose answer was lost is repeated with the same event ids, a bounded number of times.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import msgspec
from cachetools import LRUCache

from service.application.snapshots import Folded, Snapshots
from service.domain.decider import Decider, DomainEvent
from service.domain.errors import Conflict, DomainError
from service.ports.event_store import (
    EventStore,
    EventStoreUnavailable,
    Metadata,
    NewEvent,
    StreamWrite,
    VersionConflict,
)

S = TypeVar("S")
EVENTS_AT_ONCE = 1000

A = TypeVar("A")
B = TypeVar("B")


class Ref(NamedTuple, Generic[S]):
    """A stream and the aggregate that lives in it."""

    stream: str
    decider: Decider[S]
    expected_new: bool = False


class Loaded(NamedTuple, Generic[S]):
    """A state, the version it was folded from, and the position of the last event known to be in it."""

    state: S
    version: int
    position: int
    event_id: uuid.UUID | None = None
    """Of the event at that version."""


class Outcome(NamedTuple, Generic[S]):
    """What came of a command: the state after it, its place in the log, and whether it wrote anything."""

    state: S
    position: int
    changed: bool


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Who commands, and what it belongs to; becomes the events' metadata."""

    actor: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""

    def metadata(self) -> Metadata:
        return Metadata(
            actor=self.actor,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )


Decide = Callable[[Sequence[Any]], Sequence[Sequence[DomainEvent]]]


class Executor:
    """Runs commands against the event store. One per process: its turns and its cache are shared by all callers."""

    def __init__(
        self,
        store: EventStore,
        *,
        cached_streams: int = 20_000,
        max_attempts: int = 10,
        max_append_tries: int = 4,
        source: random.Random | None = None,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._cache: LRUCache[str, Loaded[Any]] = LRUCache(cached_streams)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._max_attempts = max_attempts
        self._max_append_tries = max_append_tries
        self._random = source or random.Random()  # noqa: S311 - jitter, not a secret
        self._new_id = new_id

    async def load(self, ref: Ref[S]) -> Loaded[S]:
        """The stream's present state, read from the store."""
        async with self._turn(ref.stream):
            return await self._read(ref)

    async def run(self, ref: Ref[S], decide: Callable[[S], Sequence[DomainEvent]], context: Context) -> Outcome[S]:
        """A command on one stream. Raises the decision's DomainError, Conflict, EventStoreUnavailable."""
        loaded, position, changed = await self._run([ref], lambda states: [decide(states[0])], context)
        return Outcome(loaded[0], position, changed)

    async def run_both(
        self,
        first: Ref[A],
        second: Ref[B],
        decide: Callable[[A, B], tuple[Sequence[DomainEvent], Sequence[DomainEvent]]],
        context: Context,
    ) -> tuple[Outcome[A], Outcome[B]]:
        """A command on two streams, appended atomically, the first one's events before the second one's."""
        loaded, position, changed = await self._run(
            [first, second], lambda states: decide(states[0], states[1]), context
        )
        return Outcome(loaded[0], position, changed), Outcome(loaded[1], position, changed)

    async def _run(self, refs: Sequence[Ref[Any]], decide: Decide, context: Context) -> tuple[list[Any], int, bool]:
        async with AsyncExitStack() as turns:
            for stream in sorted(ref.stream for ref in refs):
                await turns.enter_async_context(self._turn(stream))
            fresh = False
            for attempt in range(1, self._max_attempts + 1):
                loaded = [await self._state(ref, fresh=fresh) for ref in refs]
                try:
                    decided = decide([each.state for each in loaded])
                except DomainError:
                    if fresh:
                        raise
                    fresh = True
                    continue
                if not any(decided):
                    if fresh:
                        return [each.state for each in loaded], max(each.position for each in loaded), False
                    fresh = True
                    continue
                try:
                    return (*await self._append(refs, loaded, decided, context), True)
                except VersionConflict:
                    fresh = True
                    await asyncio.sleep(self._random.uniform(0, 0.005 * 2 ** min(attempt, 6)))
            raise Conflict(", ".join(ref.stream for ref in refs), self._max_attempts)

    def _turn(self, stream: str) -> asyncio.Lock:
        lock = self._turns.get(stream)
        if lock is None:
            lock = self._turns[stream] = asyncio.Lock()
        return lock

    async def _state(self, ref: Ref[S], *, fresh: bool) -> Loaded[S]:
        if not fresh:
            cached: Loaded[S] | None = self._cache.get(ref.stream)
            if cached is not None:
                return cached
            if ref.expected_new:
                return Loaded(ref.decider.initial, 0, 0)
        return await self._read(ref)

    async def _read(self, ref: Ref[S]) -> Loaded[S]:
        known: Loaded[S] = self._cache.get(ref.stream) or await self._beginning(ref)
        while events := await self._store.read_stream(ref.stream, after_version=known.version, limit=EVENTS_AT_ONCE):
            state = ref.decider.fold(known.state, (each.event for each in events))
            known = Loaded(state, events[-1].version, events[-1].position, events[-1].event_id)
            if len(events) < EVENTS_AT_ONCE:
                break
        self._keep(ref, known)
        return known

    async def _beginning(self, ref: Ref[S]) -> Loaded[S]:
        """From where a stream that is not in the cache has to be folded."""
        if self._snapshots is not None:
            found = await self._snapshots.load(ref.decider.category, ref.stream)
            if found is not None:
                return Loaded(*found)
        return Loaded(ref.decider.initial, 0, 0)

    def _keep(self, ref: Ref[S], known: Loaded[S]) -> None:
        self._cache[ref.stream] = known
        if self._snapshots is not None and known.event_id is not None:
            folded = Folded(known.state, known.version, known.position, known.event_id)
            self._snapshots.offer(ref.decider.category, ref.stream, folded)

    async def _append(
        self,
        refs: Sequence[Ref[Any]],
        loaded: Sequence[Loaded[Any]],
        decided: Sequence[Sequence[DomainEvent]],
        context: Context,
    ) -> tuple[list[Any], int]:
        metadata = context.metadata()
        writes = [
            StreamWrite(
                ref.stream,
                known.version,
                tuple(NewEvent(self._new_id(), event, metadata) for event in events),  # type: ignore[arg-type]
            )
            for ref, known, events in zip(refs, loaded, decided, strict=True)
            if events
        ]
        last_ids = {write.stream: write.events[-1].event_id for write in writes}
        position = await self._append_surely(writes)
        states = []
        for ref, known, events in zip(refs, loaded, decided, strict=True):
            state = ref.decider.fold(known.state, events)
            if (last_id := last_ids.get(ref.stream)) is not None:
                self._keep(ref, Loaded(state, known.version + len(events), position, last_id))
            states.append(state)
        return states, position

    async def _append_surely(self, writes: Sequence[StreamWrite]) -> int:
        for attempt in range(1, self._max_append_tries + 1):
            try:
                return await self._store.append(writes)
            except EventStoreUnavailable:
                if attempt == self._max_append_tries:
                    raise
                await asyncio.sleep(self._random.uniform(0.5, 1.0) * 0.1 * 4**attempt)
        raise AssertionError("unreachable")
