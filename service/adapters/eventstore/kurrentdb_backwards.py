"""Reading ``$all`` backwards: what stood last before a place or a moment."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import kurrentdbclient as kdb
from kurrentdbclient import AsyncKurrentDBClient

from service.adapters.eventstore.kurrentdb_connection import CALL_TIMEOUT_SECONDS, read_surely
from service.adapters.eventstore.kurrentdb_moments import Moments
from service.adapters.eventstore.kurrentdb_records import EVERYTHING, is_ours, recorded_at

_LONGEST_SEARCH_SECONDS = 600.0
"""For a moment; what was passed by then is noted, so that asking again goes on from there."""


class BackwardsReader:
    def __init__(self, client: AsyncKurrentDBClient, moments: Moments) -> None:
        self._client = client
        self._moments = moments

    async def head(self) -> int:
        """The position of the last event of ours, 0 if there is none."""
        return await self._last_before(None)

    async def last_before(self, position: int) -> int:
        """The position of the last event of ours before a place in the log, which may lie between events; or 0."""
        return await self._last_before(position) if position else 0

    async def _last_before(self, position: int | None) -> int:
        while records := await read_surely(partial(self._last_two_before, position)):
            # Who asks for the end often reads the last event next, and begins "after" a place before it.
            self._moments.note_end(records[-1].commit_position)
            if ours := [each.commit_position for each in records if is_ours(each)]:
                return ours[0]
            position = records[-1].commit_position
        return 0

    async def _last_two_before(self, position: int | None) -> list[kdb.RecordedEvent]:
        found = await self._client.read_all(
            commit_position=position,
            backwards=True,
            filter_include=(EVERYTHING,),
            limit=2,
            timeout=CALL_TIMEOUT_SECONDS,
        )
        return [each async for each in found]

    async def last_at(self, time: datetime) -> int:
        """The position of the last event that was recorded at ``time`` or before; 0 for none.

        Reads from the nearest known place after it, at worst from the log's end.
        """
        return await read_surely(partial(self._last_at, time), timeout_seconds=_LONGEST_SEARCH_SECONDS)

    async def _last_at(self, time: datetime) -> int:
        records = await self._client.read_all(
            commit_position=self._moments.known_place_after(time), backwards=True, filter_include=(EVERYTHING,)
        )
        try:
            async for record in records:
                if not is_ours(record):
                    continue
                self._moments.note(record)
                if recorded_at(record) <= time:
                    return record.commit_position
        finally:
            await records.stop()
        return 0
