"""The media store, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from service.adapters.media import ObjectMediaStore, ReferenceLimits, open_location
from service.config import Settings

MEDIA_THREADS = 4


@asynccontextmanager
async def open_media(settings: Settings) -> AsyncIterator[tuple[ObjectMediaStore, ThreadPoolExecutor]]:
    """The media store, and the threads that look at pictures."""
    url = settings.media_url or (settings.data_dir.resolve() / "media").as_uri()
    with ThreadPoolExecutor(MEDIA_THREADS, thread_name_prefix="media") as threads:
        limits = ReferenceLimits(max_bytes=settings.max_upload_bytes)
        yield ObjectMediaStore(open_location(url), threads=threads, limits=limits), threads
