"""Reading single streams of KurrentDB. Its revisions count from 0, our versions from 1."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import kurrentdbclient as kdb
from kurrentdbclient import AsyncKurrentDBClient
from kurrentdbclient.exceptions import NotFoundError

from service.adapters.eventstore.kurrentdb_connection import CALL_TIMEOUT_SECONDS, read_surely


class StreamReader:
    def __init__(self, client: AsyncKurrentDBClient, *, most_at_once: int = 16) -> None:
        """``most_at_once``: streams that are read at the same time."""
        self._client = client
        self._room = asyncio.Semaphore(most_at_once)

    async def read(self, stream: str, after_version: int, limit: int) -> list[kdb.RecordedEvent]:
        """Up to ``limit`` records after a version; none for a stream that is not there."""
        async with self._room:
            return await self._read(stream, limit, stream_position=after_version)

    async def read_many(self, streams: Collection[str], limit: int) -> list[kdb.RecordedEvent]:
        """The first ``limit`` records of each of these streams, in the log's order."""
        found = await asyncio.gather(*(self.read(each, 0, limit) for each in sorted(set(streams))))
        return sorted((each for records in found for each in records), key=lambda each: each.commit_position)

    async def version(self, stream: str) -> int:
        """Of the stream's last event; 0 for a stream that is not there."""
        async with self._room:
            records = await self._read(stream, 1, backwards=True)
        return records[0].stream_position + 1 if records else 0

    async def _read(
        self, stream: str, limit: int, *, stream_position: int | None = None, backwards: bool = False
    ) -> list[kdb.RecordedEvent]:
        async def read() -> list[kdb.RecordedEvent]:
            # Not get_stream: it ends early, without a word, when another call replaces the connection.
            records = await self._client.read_stream(
                stream,
                stream_position=stream_position,
                backwards=backwards,
                limit=limit,
                timeout=CALL_TIMEOUT_SECONDS,
            )
            try:
                return [each async for each in records]
            except NotFoundError as error:
                if not error.args:  # Not of the stream: a status from whatever stands between us and the server.
                    raise
                return []

        return await read_surely(read)
