"""Mistakes about the log: what keeps two writers, or one whose answer was lost, from telling two stories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import msgspec

from service.application.execute import Context, Executor, Loaded, Ref
from service.ports.event_store import StreamWrite, VersionConflict
from tests.simulation.lines import StoreLine


def version_unchecked() -> list[Any]:
    right = StoreLine.append

    async def append(self: StoreLine, writes: Sequence[StreamWrite]) -> int:
        while True:
            try:
                return await right(self, [await _at_its_end(self, write) for write in writes])
            except VersionConflict:
                continue

    async def _at_its_end(line: StoreLine, write: StreamWrite) -> StreamWrite:
        known = await line._store.read_stream(write.stream, limit=100_000)
        ids = {new.event_id for new in write.events}
        if any(each.event_id in ids for each in known):
            return write
        return msgspec.structs.replace(write, expected_version=len(known))

    return [patch.object(StoreLine, "append", append)]


def streams_appended_one_by_one() -> list[Any]:
    right = StoreLine.append

    async def append(self: StoreLine, writes: Sequence[StreamWrite]) -> int:
        position = 0
        for write in writes:
            position = await right(self, [write])
        return position

    return [patch.object(StoreLine, "append", append)]


def conflict_decided_on_the_same_state_again() -> list[Any]:
    right = Executor._read

    async def _read(self: Executor, ref: Ref[Any]) -> Loaded[Any]:
        known: Loaded[Any] | None = self._cache.get(ref.stream)
        return known if known is not None else await right(self, ref)

    return [patch.object(Executor, "_read", _read)]


def refusal_on_a_stale_state_final() -> list[Any]:
    right = Executor.run_both

    async def run_both(self: Executor, first: Ref[Any], second: Ref[Any], decide: Any, context: Context) -> Any:
        known = self._cache.get(first.stream)
        if known is not None and second.expected_new:
            decide(known.state, second.decider.initial)
        return await right(self, first, second, decide, context)

    return [patch.object(Executor, "run_both", run_both)]


def append_believed_before_it_is_answered() -> list[Any]:
    right = Executor._append

    async def _append(
        self: Executor, refs: Sequence[Ref[Any]], loaded: Sequence[Loaded[Any]], decided: Any, context: Context
    ) -> Any:
        for ref, known, events in zip(refs, loaded, decided, strict=True):
            state = ref.decider.fold(known.state, events)
            self._cache[ref.stream] = Loaded(state, known.version + len(events), known.position)
        return await right(self, refs, loaded, decided, context)

    return [patch.object(Executor, "_append", _append)]
