"""Which of the appends that wait together can be written together.

Appends are taken in the order in which they came, each on top of those accepted before it, exactly as if each had
a transaction of its own. What the database holds is not asked first: where nothing is known of a stream, its
first append is believed, and the database checks that belief when it writes. An append that does not fit is

- *lost* if it does not fit what the database is known to hold: nothing can make it right any more;
- *held* if it does not fit what an accepted append of this batch would make of the stream: should that one turn
  out to be wrong, this one may still be right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from service.adapters.eventstore.codec import EncodedEvent, EventCodec
from service.ports.event_store import StreamWrite, VersionConflict


@dataclass(slots=True, eq=False)  # not frozen: that would take three times as long to make
class PendingAppend:
    """An append on its way: its events encoded, and the future that its caller awaits."""

    writes: tuple[tuple[str, int, tuple[EncodedEvent, ...]], ...]
    """(stream, expected version, events)"""
    event_count: int
    size_bytes: int
    done: asyncio.Future[int]

    @property
    def event_ids(self) -> list[UUID]:
        return [each.event_id for _, _, events in self.writes for each in events]

    def answer(self, position: int) -> None:
        if not self.done.done():  # else its caller has gone
            self.done.set_result(position)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def make_pending(writes: Sequence[StreamWrite], codec: EventCodec, done: asyncio.Future[int]) -> PendingAppend:
    encoded = []
    event_count = size_bytes = 0
    for write in writes:
        events = tuple([codec.encode(new) for new in write.events])
        encoded.append((write.stream, write.expected_version, events))
        event_count += len(events)
        for each in events:
            size_bytes += len(each.data) + len(each.metadata)
    return PendingAppend(tuple(encoded), event_count, size_bytes, done)


@dataclass(frozen=True, slots=True)
class Plan:
    base_versions: dict[str, int]
    """Of every stream that is written to: the version that the database must hold."""
    accepted: list[PendingAppend]
    held: list[PendingAppend]
    lost: list[PendingAppend]

    def rows(self) -> tuple[list[str], list[int], list[UUID], list[str], list[str], list[str]]:
        """The accepted events in order: streams, versions, ids, types, data, metadata."""
        streams: list[str] = []
        versions: list[int] = []
        ids: list[UUID] = []
        types: list[str] = []
        data: list[str] = []
        metadata: list[str] = []
        for pending in self.accepted:
            for stream, expected, events in pending.writes:
                for version, each in enumerate(events, expected + 1):
                    streams.append(stream)
                    versions.append(version)
                    ids.append(each.event_id)
                    types.append(each.type)
                    data.append(each.data.decode())
                    metadata.append(each.metadata.decode())
        return streams, versions, ids, types, data, metadata


def make_plan(batch: Iterable[PendingAppend], known: Mapping[str, int]) -> Plan:
    """``known``: versions that the database was seen to hold, for some streams."""
    plan = Plan({}, [], [], [])
    versions: dict[str, int] = {}  # after what is accepted
    ids: set[UUID] = set()
    for pending in batch:
        event_ids = pending.event_ids
        spoilt_by = _spoilt_by(pending, versions, known)
        if spoilt_by == "database":
            plan.lost.append(pending)
        elif spoilt_by == "batch" or not ids.isdisjoint(event_ids):
            plan.held.append(pending)
        else:
            plan.accepted.append(pending)
            ids.update(event_ids)
            for stream, expected, events in pending.writes:
                plan.base_versions.setdefault(stream, expected)
                versions[stream] = expected + len(events)
    return plan


def _spoilt_by(
    pending: PendingAppend, versions: Mapping[str, int], known: Mapping[str, int]
) -> Literal["", "database", "batch"]:
    """What makes one of its expected versions wrong. (Plain loops: this is done for every append there is.)"""
    found: Literal["", "batch"] = ""
    for stream, expected, _ in pending.writes:
        if stream in versions:
            if versions[stream] != expected:
                found = "batch"
        elif known.get(stream, expected) != expected:
            return "database"
    return found


def conflict(pending: PendingAppend, versions: Mapping[str, int]) -> VersionConflict:
    """Why an append could not be written; ``versions`` are those that its streams are at."""
    for stream, expected, _ in pending.writes:
        if (actual := versions.get(stream, 0)) != expected:
            return VersionConflict(stream, expected, actual)
    # The streams have come to be as expected since, or some of the event ids stand in the log already.
    stream, expected, _ = pending.writes[0]
    return VersionConflict(stream, expected)
