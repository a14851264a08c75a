"""What an append must look like before any store is asked. Wrong ones are the caller's mistake: ValueError."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from service.ports.event_store import StreamWrite

MAX_STREAM_NAME_CHARACTERS = 400
"""Leaves an index entry of four-byte characters well below PostgreSQL's limit of 2,704 bytes."""


def check_writes(writes: Sequence[StreamWrite]) -> None:
    """Raises ValueError, naming the stream and what would be right."""
    if not writes:
        raise ValueError("an append needs at least one stream with at least one event")
    streams: set[str] = set()
    ids: set[UUID] = set()
    for write in writes:
        _check_stream(write.stream)
        if write.stream in streams:
            raise ValueError(f"{write.stream} is named twice in one append; put its events into one write")
        streams.add(write.stream)
        if not write.events:
            raise ValueError(f"{write.stream}: a write needs at least one event")
        if write.expected_version < 0:
            raise ValueError(f"{write.stream}: expected_version must be 0 or more, not {write.expected_version}")
        for new in write.events:
            if new.event_id in ids:
                raise ValueError(f"{write.stream}: event id {new.event_id} stands twice in one append")
            ids.add(new.event_id)


def check_limit(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")


def _check_stream(stream: str) -> None:
    if not 1 <= len(stream) <= MAX_STREAM_NAME_CHARACTERS:
        raise ValueError(f"a stream's name must have 1 to {MAX_STREAM_NAME_CHARACTERS} characters, not {len(stream)}")
    if not stream.isprintable():
        raise ValueError(f"a stream's name must be printable characters only, not {stream!r}")
