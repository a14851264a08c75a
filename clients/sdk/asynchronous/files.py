"""Files: what was made, and reference pictures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from clients.sdk.asynchronous.transport import AsyncMethods
from clients.sdk.calls import gallery as calls
from clients.sdk.errors import DamagedDownload
from clients.sdk.files import Receiver, Source, Target, Verifier, read_source
from clients.sdk.results import Download, FileInfo, Reference


class AsyncFiles(AsyncMethods):
    """The methods of ``GalleryService`` that move files."""

    async def download(self, user_id: str, item_id: str, target: Target, *, thumbnail: bool = False) -> Download:
        """Fetches an item's file to a path, into a folder (under the service's name for it) or into a writer.

        A file appears whole and verified, or not at all. Raises DamagedDownload, OSError.
        """
        receiver = Receiver(target)
        call = calls.download_media(user_id, item_id=item_id, thumbnail=thumbnail, restartable=receiver.restartable)
        try:
            async with aclosing(self._transport.stream(call)) as parts:
                async for part in parts:
                    await asyncio.to_thread(receiver.accept, part)
            return await asyncio.to_thread(receiver.finish)
        finally:
            receiver.abort()

    async def open_media(
        self,
        user_id: str,
        item_id: str | None = None,
        *,
        reference_media_id: str | None = None,
        thumbnail: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> AsyncMediaStream:
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
        info = await anext(parts, None)
        if not isinstance(info, FileInfo):
            await parts.aclose()
            raise DamagedDownload("began without a word about the file")
        return AsyncMediaStream(parts, info, Verifier(info, offset=offset, limit=limit))

    async def upload_reference(self, user_id: str, source: Source) -> Reference:
        """Keeps a reference picture (a path, or its bytes) for requests that need one. Raises OSError."""
        content = await asyncio.to_thread(read_source, source)
        return await self._transport.upload(user_id, content)


class AsyncMediaStream:
    """A file as it comes: ``info`` about it, and its bytes by ``async for``, checked at the end."""

    def __init__(self, parts: AsyncGenerator[Any, None], info: FileInfo, verifier: Verifier) -> None:
        self.info = info
        self._parts = parts
        self._verifier = verifier

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._parts):
            async for chunk in self._parts:
                self._verifier.add(chunk)
                yield chunk
        self._verifier.check()

    async def aclose(self) -> None:
        """Stops fetching. Not needed when it was read to its end."""
        await self._parts.aclose()
