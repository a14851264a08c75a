"""A small store of files in memory, so that thumbnails and the pieces of a video are not fetched again and again.

The service sends files whole; browsers ask for a video piece by piece. What is small enough is kept whole, the least
recently used going first; of what is larger, each piece is cut out of a stream that is read up to the piece's end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from cachetools import LRUCache

from clients.sdk import AsyncMediaStream, FileInfo

MAX_FILE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Whole:
    """A file with all its bytes."""

    info: FileInfo
    content: bytes


class FileCache:
    """Files by their address' parts; what a name stands for never changes."""

    def __init__(self) -> None:
        self._files: LRUCache[tuple[str, ...], Whole] = LRUCache(
            MAX_TOTAL_BYTES, lambda file: len(file.content) + 512
        )

    def get(self, key: tuple[str, ...]) -> Whole | None:
        found: Whole | None = self._files.get(key)
        return found

    def fits(self, info: FileInfo) -> bool:
        return info.size_bytes <= MAX_FILE_BYTES

    def put(self, key: tuple[str, ...], file: Whole) -> None:
        self._files[key] = file


@dataclass(frozen=True)
class Piece:
    """Bytes ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """A range that lies outside of the file."""


def piece_of(header: str | None, size_bytes: int) -> Piece | None:
    """The piece that a Range header asks for; None for the whole file. Raises Unsatisfiable.

    Only a single range of bytes is served (RFC 9110 lets a server ignore others).
    """
    if not header or not header.startswith("bytes=") or "," in header:
        return None
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    if (
        not dash
        or not all(each.isascii() and each.isdecimal() for each in (first, last) if each)
        or first + last == ""
    ):
        return None
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes - 1
    else:
        start, end = int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1
    if start > end or start >= size_bytes:
        raise Unsatisfiable
    return Piece(start, end)


async def cut(stream: AsyncMediaStream, piece: Piece) -> AsyncIterator[bytes]:
    """The bytes of ``piece``; fetching stops at its end."""
    at = 0
    try:
        async for chunk in stream:
            part = chunk[max(0, piece.first - at) : max(0, piece.last + 1 - at)]
            at += len(chunk)
            if part:
                yield part
            if at > piece.last:
                break
    finally:
        await stream.aclose()
