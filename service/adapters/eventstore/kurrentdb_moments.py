"""Known places in a log that has no index of its times.

Every thousandth event that passes is noted with its position and time, so that a time, or a position that somebody
made up, is looked for between two known places instead of in the whole log. A process that has read nothing yet
knows nothing: the first question about a far past reads back to it once, and notes what it passes.

Bounded: when there are too many places, every second one is forgotten and the next ones are noted half as often.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from datetime import datetime
from typing import NamedTuple

import kurrentdbclient as kdb

from service.adapters.eventstore.kurrentdb_records import recorded_at

_MOST_ENDS = 64
"""While somebody asks for the end and then for what stands there, others append."""


class Place(NamedTuple):
    position: int
    """Of an event."""
    time: datetime
    """When that event was recorded."""


class Moments:
    def __init__(self, *, every_events: int = 1000, most_places: int = 20_000) -> None:
        self._every_events = every_events
        self._most_places = most_places
        self._places: list[Place] = []
        self._passed = 0
        self._ends: deque[int] = deque(maxlen=_MOST_ENDS)

    def note_end(self, position: int) -> None:
        """An event that is or was near the end of the log; only the last ones are kept."""
        self._ends.append(position)

    def note(self, record: kdb.RecordedEvent) -> None:
        """An event (or another message of a subscription) passes."""
        if type(record) is not kdb.RecordedEvent:
            return
        self._passed += 1
        if self._passed >= self._every_events:
            self._passed = 0
            self._add(Place(record.commit_position, recorded_at(record)))

    def known_place_before(self, position: int) -> int:
        """The greatest known position of an event at or before this one; 0, the log's beginning, if none is known."""
        index = bisect_left(self._places, position + 1, key=lambda place: place.position)
        known = self._places[index - 1].position if index else 0
        return max((each for each in self._ends if known <= each <= position), default=known)

    def known_place_after(self, time: datetime) -> int | None:
        """The position of the earliest known event that was recorded later than ``time``; None if none is known."""
        index = bisect_left(self._places, True, key=lambda place: place.time > time)
        return self._places[index].position if index < len(self._places) else None

    def _add(self, place: Place) -> None:
        index = bisect_left(self._places, place.position, key=lambda each: each.position)
        if index < len(self._places) and self._places[index].position == place.position:
            return
        insort(self._places, place)
        if len(self._places) > self._most_places:
            del self._places[::2]
            self._every_events *= 2
