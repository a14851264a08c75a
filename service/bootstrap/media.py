"""The media store, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from service.adapters.media import (
    CollectorLimits,
    FileSink,
    HttpMediaCollector,
    NoStore,
    ObjectMediaStore,
    ReferenceLimits,
    open_location,
)
from service.adapters.tls import trust
from service.config import Settings

MEDIA_THREADS = 4


@asynccontextmanager
async def open_media(settings: Settings) -> AsyncIterator[tuple[ObjectMediaStore, ThreadPoolExecutor]]:
    """The media store, and the threads that look at pictures."""
    url = settings.media_url or (settings.data_dir.resolve() / "media").as_uri()
    with ThreadPoolExecutor(MEDIA_THREADS, thread_name_prefix="media") as threads:
        limits = ReferenceLimits(max_bytes=settings.max_upload_bytes)
        yield ObjectMediaStore(open_location(url), threads=threads, limits=limits), threads


def make_collector(settings: Settings, sink: FileSink, threads: ThreadPoolExecutor) -> HttpMediaCollector:
    """What brings files into ``sink``. To be closed by the caller."""
    limits = CollectorLimits(
        max_bytes=settings.max_media_bytes, allow_private_addresses=settings.allow_private_media_urls
    )
    return HttpMediaCollector(sink, tls=trust(settings.ca_file), threads=threads, limits=limits)


@asynccontextmanager
async def open_collector(settings: Settings, *, keep: bool) -> AsyncIterator[HttpMediaCollector]:
    """A collector into the media store, or one that keeps nothing and makes no store."""
    async with AsyncExitStack() as stack:
        sink: FileSink
        if keep:
            sink, threads = await stack.enter_async_context(open_media(settings))
        else:
            sink, threads = NoStore(), stack.enter_context(ThreadPoolExecutor(MEDIA_THREADS))
        collector = make_collector(settings, sink, threads)
        stack.push_async_callback(collector.aclose)
        yield collector
