"""Our own store of files: outputs, thumbnails, reference pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from service.domain.generation.events import StoredMedia


class ReferenceMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A reference picture that a user uploaded. ``media_id`` derives from the bytes: the same file, the same id."""

    media_id: str
    content_type: str
    size_bytes: int
    width: int
    height: int


class MediaRejected(Exception):
    """The file is not what it should be, and will not get better: not a picture, too large, damaged."""


class MediaUnavailable(Exception):
    """The file could not be fetched or stored this time."""


class CollectedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A verified output in our store, with its thumbnail (of a video: its poster frame)."""

    kind: str
    """``image`` or ``video``."""
    media: StoredMedia
    thumbnail: StoredMedia


class MediaCollector(Protocol):
    """Brings a vendor's outputs into our own store."""

    async def collect(self, url: str, *, generation_id: str, index: int) -> CollectedOutput:
        """Fetches a vendor's file, verifies it (size limit, sniffed type, sha256), stores it and a thumbnail.

        Safe to run again: the same output lands under the same key. Raises MediaRejected, MediaUnavailable.
        """
        ...


class MediaStore(Protocol):
    """Keeps outputs and reference pictures, by key."""

    def read(
        self, key: str, *, start: int = 0, end: int | None = None, chunk_size_bytes: int = 262_144
    ) -> AsyncIterator[bytes]:
        """The file's bytes in chunks, from byte ``start`` up to and without ``end``. They lie within the file.

        Raises NotFound, MediaUnavailable.
        """
        ...

    async def save_reference(self, user_id: str, content: bytes) -> ReferenceMedia:
        """Verifies and keeps a reference picture. Raises InvalidField("content", ...)."""
        ...

    async def find_reference(self, user_id: str, media_id: str) -> ReferenceMedia | None:
        """What is known of a user's reference picture, None if there is no such."""
        ...

    async def read_reference(self, user_id: str, media_id: str) -> tuple[bytes, str]:
        """``(bytes, content_type)``. Raises NotFound, MediaUnavailable."""
        ...
