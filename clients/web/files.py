"""A small store of files in memory, so that thumbnails and the pieces of a video are not fetched again and again.

Browsers ask for a video piece by piece. What is small enough is kept whole, the least recently used going first; of
what is larger only its size and hash are kept, and each piece is fetched when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import LRUCache

from clients.sdk import FileInfo

MAX_FILE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20
MAX_KNOWN = 10_000
Key = tuple[str, ...]


@dataclass(frozen=True)
class Whole:
    """A file with all its bytes."""

    info: FileInfo
    content: bytes


class FileCache:
    """Files by their address' parts; what a name stands for never changes."""

    def __init__(self, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._max_file_bytes = max_file_bytes
        self._files: LRUCache[Key, Whole] = LRUCache(MAX_TOTAL_BYTES, lambda file: len(file.content) + 512)
        self._known: LRUCache[Key, FileInfo] = LRUCache(MAX_KNOWN)

    def get(self, key: Key) -> Whole | None:
        found: Whole | None = self._files.get(key)
        return found

    def info(self, key: Key) -> FileInfo | None:
        """What is known of a file that is too large to be kept."""
        found: FileInfo | None = self._known.get(key)
        return found

    def fits(self, info: FileInfo) -> bool:
        return info.size_bytes <= self._max_file_bytes

    def put(self, key: Key, file: Whole) -> None:
        self._files[key] = file

    def know(self, key: Key, info: FileInfo) -> None:
        self._known[key] = info


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
