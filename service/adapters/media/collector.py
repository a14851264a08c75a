"""From a vendor's url, or a file on this machine, to a verified file in our store, with a thumbnail.

fetch (bounded, sniffed, hashed) -> decode completely -> store the file, then its thumbnail. Nothing is stored before
it is known to be what it should be. Running it again fetches again and lands under the same keys.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, Protocol

from service.adapters.media.fetcher import FetchedFile, Fetcher, FetchLimits
from service.adapters.media.kinds import FileKind
from service.adapters.media.pictures import THUMBNAIL_CONTENT_TYPE, Damaged, Examined, examine_picture
from service.adapters.media.store import output_key
from service.adapters.media.video import examine_video
from service.domain.generation.events import StoredMedia
from service.ports.media_store import CollectedOutput, MediaRejected


class CollectorLimits(FetchLimits, frozen=True, kw_only=True):
    """Sizes in bytes and pixels, times in seconds."""

    max_pixels: int = 40_000_000
    """Of a picture, or of a video's frame."""
    max_concurrent: int = 8
    """Files that are fetched at once; each may take ``max_bytes`` of temporary space."""


class FileSink(Protocol):
    """Where collected files go."""

    async def put(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        """Keeps a file under ``key``, whole or not at all. Raises MediaUnavailable."""
        ...


class NoStore:
    """Keeps nothing: files are fetched and looked at, and that is all."""

    async def put(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        return None


class HttpMediaCollector:
    """``service.ports.media_store.MediaCollector``. ``threads`` decode and write; their number bounds both."""

    def __init__(
        self,
        store: FileSink,
        *,
        tls: ssl.SSLContext,
        threads: Executor,
        limits: CollectorLimits | None = None,
        scratch_dir: Path | None = None,
    ) -> None:
        self._store = store
        self._threads = threads
        self._limits = limits or CollectorLimits()
        self._fetcher = Fetcher(tls=tls, threads=threads, limits=self._limits, scratch_dir=scratch_dir)
        self._slots = asyncio.Semaphore(self._limits.max_concurrent)

    async def aclose(self) -> None:
        await self._fetcher.aclose()

    async def collect(self, url: str, *, generation_id: str, index: int) -> CollectedOutput:
        async with self._slots:
            return await self._keep(await self._fetcher.fetch(url), generation_id, index)

    async def collect_file(self, path: Path, *, generation_id: str, index: int) -> CollectedOutput:
        """The same with a file on this machine. Raises MediaRejected, MediaUnavailable."""
        async with self._slots:
            return await self._keep(await self._fetcher.read_file(path), generation_id, index)

    async def _keep(self, fetched: FetchedFile, generation_id: str, index: int) -> CollectedOutput:
        try:
            return await self._verify_and_keep(fetched, generation_id, index)
        finally:
            fetched.close()

    async def _verify_and_keep(self, fetched: FetchedFile, generation_id: str, index: int) -> CollectedOutput:
        kind = fetched.kind
        assert kind is not None
        loop = asyncio.get_running_loop()
        try:
            seen = await loop.run_in_executor(self._threads, _examine, fetched, kind, self._limits.max_pixels)
        except Damaged as error:
            raise MediaRejected(f"it says it is {kind.content_type}, but {error}") from error
        media = StoredMedia(
            key=output_key(generation_id, index, fetched.sha256, kind.extension),
            content_type=kind.content_type,
            size_bytes=fetched.size_bytes,
            sha256=fetched.sha256,
            width=seen.width,
            height=seen.height,
            duration_seconds=seen.duration_seconds,
        )
        thumbnail = StoredMedia(
            key=output_key(generation_id, index, fetched.sha256, "thumbnail.webp"),
            content_type=THUMBNAIL_CONTENT_TYPE,
            size_bytes=len(seen.thumbnail.content),
            sha256=hashlib.sha256(seen.thumbnail.content).hexdigest(),
            width=seen.thumbnail.width,
            height=seen.thumbnail.height,
        )
        fetched.file.seek(0)
        await self._store.put(media.key, fetched.file, media.content_type)
        await self._store.put(thumbnail.key, seen.thumbnail.content, thumbnail.content_type)
        return CollectedOutput(kind=kind.kind, media=media, thumbnail=thumbnail)


def _examine(fetched: FetchedFile, kind: FileKind, max_pixels: int) -> Examined:
    if kind.kind == "video":
        return examine_video(fetched.file, kind, max_pixels=max_pixels)
    return examine_picture(fetched.file, max_pixels=max_pixels)
