"""Our files: outputs and thumbnails of generations, and users' reference pictures.

    generations/<generation_id>/<index>-<hash>.<extension>            an output
    generations/<generation_id>/<index>-<hash>.thumbnail.webp         its thumbnail
    references/<hash of the user's id>/<media_id>                     a reference picture
    references/<hash of the user's id>/<media_id>.json                what is known of it, written last

A key holds the hash of its content, so a file is never written over by another one: whatever event names it keeps
telling the truth. Writes are atomic. In a folder they are also made to last (fsync) before they count, because the
events that name them are.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from service.adapters.media.references import ReferenceLimits, checked_reference
from service.domain.errors import NotFound
from service.ports.media_store import MediaUnavailable, ReferenceMedia

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

_MEDIA_ID = re.compile(r"[0-9a-f]{32}")


class ObjectMediaStore:
    """``service.ports.media_store.MediaStore`` on an obstore store. ``threads`` look at pictures and sync folders."""

    def __init__(self, store: ObjectStore, *, threads: Executor, limits: ReferenceLimits | None = None) -> None:
        self._store = store
        self._threads = threads
        self._limits = limits or ReferenceLimits()
        self._folder = store.prefix if isinstance(store, LocalStore) else None

    def path_of(self, key: str) -> Path | None:
        """Where a file is on this machine's disk; None where it is in a bucket or in memory."""
        return None if self._folder is None else self._folder / key

    async def put(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        """Writes a file whole or not at all; over an equal one if it is there. Raises MediaUnavailable."""
        # The local store has no place for attributes and refuses them.
        attributes = None if self._folder is not None else {"Content-Type": content_type}
        try:
            await obstore.put_async(self._store, key, content, attributes=attributes)
            if (path := self.path_of(key)) is not None:
                await asyncio.get_running_loop().run_in_executor(self._threads, _make_last, path, self._folder)
        except (BaseError, OSError) as error:
            raise MediaUnavailable(f"{key} could not be written: {_first_line(error)}") from error

    async def read(
        self, key: str, *, start: int = 0, end: int | None = None, chunk_size_bytes: int = 262_144
    ) -> AsyncIterator[bytes]:
        if not key:
            raise NotFound("file", key)
        if start == end:  # Stores refuse a range without bytes.
            return
        options: GetOptions = {} if not start and end is None else {"range": {"offset": start}}
        if end is not None:
            options = {"range": (start, end)}
        with _told(key):
            found = await obstore.get_async(self._store, key, options=options)
        chunks = found.stream(min_chunk_size=chunk_size_bytes).__aiter__()
        while True:
            with _told(key):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            for at in range(0, len(chunk), chunk_size_bytes):
                yield bytes(chunk[at : at + chunk_size_bytes])

    async def save_reference(self, user_id: str, content: bytes) -> ReferenceMedia:
        loop = asyncio.get_running_loop()
        kept, reference = await loop.run_in_executor(self._threads, checked_reference, content, self._limits)
        key = _reference_key(user_id, reference.media_id)
        await self.put(key, kept, reference.content_type)
        await self.put(key + ".json", msgspec.json.encode(reference), "application/json")
        return reference

    async def find_reference(self, user_id: str, media_id: str) -> ReferenceMedia | None:
        """Raises MediaUnavailable."""
        if not _MEDIA_ID.fullmatch(media_id):
            return None
        try:
            known = await self._read_whole(_reference_key(user_id, media_id) + ".json")
        except NotFound:
            return None
        return msgspec.json.decode(known, type=ReferenceMedia)

    async def read_reference(self, user_id: str, media_id: str) -> tuple[bytes, str]:
        reference = await self.find_reference(user_id, media_id)
        if reference is None:
            raise NotFound("reference picture", media_id)
        return await self._read_whole(_reference_key(user_id, media_id)), reference.content_type

    async def _read_whole(self, key: str) -> bytes:
        with _told(key):
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())


def output_key(generation_id: str, index: int, sha256: str, extension: str) -> str:
    """The key of an output, or of its thumbnail with the extension ``thumbnail.webp`` and the output's hash."""
    return f"generations/{generation_id}/{index}-{sha256[:16]}.{extension}"


def _reference_key(user_id: str, media_id: str) -> str:
    owner = hashlib.sha256(user_id.encode()).hexdigest()[:32]
    return f"references/{owner}/{media_id}"


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Trouble with reading, in the port's words."""
    try:
        yield
    except (FileNotFoundError, ValueError):
        # A key with "..", an empty part or the like names no file either.
        raise NotFound("file", key) from None
    except (BaseError, OSError) as error:
        raise MediaUnavailable(f"{key} could not be read: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    # obstore's texts go on with the Rust side's debug form.
    return str(error).partition("\n")[0] or type(error).__name__


def _make_last(path: Path, folder: Path | None) -> None:
    """Flushes a file and the folders above it, up to the store's own, to the disk."""
    for place in (path, *path.parents):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if place == folder:
            return
