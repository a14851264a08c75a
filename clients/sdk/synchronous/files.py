"""Files: what was made, and reference pictures."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from clients.sdk.calls import gallery as calls
from clients.sdk.errors import DamagedDownload
from clients.sdk.files import Receiver, Source, Target, Verifier, read_source
from clients.sdk.results import Download, FileInfo, Reference
from clients.sdk.synchronous.transport import SyncMethods


class SyncFiles(SyncMethods):
    """The methods of ``GalleryService`` that move files."""

    def download(self, user_id: str, item_id: str, target: Target, *, thumbnail: bool = False) -> Download:
        """Fetches an item's file to a path, into a folder (under the service's name for it) or into a writer.

        A file appears whole and verified, or not at all. Raises DamagedDownload, OSError.
        """
        receiver = Receiver(target)
        call = calls.download_media(user_id, item_id=item_id, thumbnail=thumbnail, restartable=receiver.restartable)
        try:
            with closing(self._transport.stream(call)) as parts:
                for part in parts:
                    receiver.accept(part)
            return receiver.finish()
        finally:
            receiver.abort()

    def open_media(
        self,
        user_id: str,
        item_id: str | None = None,
        *,
        reference_media_id: str | None = None,
        thumbnail: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> MediaStream:
        """A file to be passed on as it comes: an item's, or a reference picture's.

        ``offset`` and ``limit`` (bytes) take a range of it. Raises InvalidArgument for one that begins after its end.
        """
        if limit == 0:
            raise ValueError("limit must be at least 1 byte, or None for all")
        call = calls.download_media(
            user_id,
            item_id=item_id,
            reference_media_id=reference_media_id,
            thumbnail=thumbnail,
            read_offset=offset,
            read_limit=limit,
        )
        parts = self._transport.stream(call)
        info = next(parts, None)
        if not isinstance(info, FileInfo):
            parts.close()
            raise DamagedDownload("began without a word about the file")
        return MediaStream(parts, info, Verifier(info, offset=offset, limit=limit))

    def upload_reference(self, user_id: str, source: Source) -> Reference:
        """Keeps a reference picture (a path, or its bytes) for requests that need one. Raises OSError."""
        content = read_source(source)
        return self._transport.upload(user_id, content)


class MediaStream:
    """A file as it comes: ``info`` about it, and its bytes by ``for``, checked at the end."""

    def __init__(self, parts: Generator[Any, None, None], info: FileInfo, verifier: Verifier) -> None:
        self.info = info
        self._parts = parts
        self._verifier = verifier

    def __iter__(self) -> Iterator[bytes]:
        with closing(self._parts):
            for chunk in self._parts:
                self._verifier.add(chunk)
                yield chunk
        self._verifier.check()

    def close(self) -> None:
        """Stops fetching. Not needed when it was read to its end."""
        self._parts.close()
