"""Collecting a vendor's files: what is kept is whole, verified and small enough; everything else is told as it is."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from sandbox import Sandbox
from service.adapters.media import CollectorLimits, HttpMediaCollector, ObjectMediaStore, open_location
from service.adapters.tls import trust
from service.ports.media_provider import Completed
from service.ports.media_store import MediaRejected, MediaUnavailable
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.vendors import (
    IMAGEN,
    VIDEO,
    fal_provider,
    settled,
    submit_request,
    submitted,
    trusted,
)

GENERATION = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b"


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2, thread_name_prefix="media") as threads:
        yield threads


@pytest.fixture
def store(tmp_path: Path, threads: Executor) -> ObjectMediaStore:
    return ObjectMediaStore(open_location((tmp_path / "media").as_uri()), threads=threads)


@asynccontextmanager
async def collecting(
    sandbox: Sandbox, store: ObjectMediaStore, threads: Executor, **limits: Any
) -> AsyncIterator[HttpMediaCollector]:
    patient = {"idle_timeout_seconds": BOUND_SECONDS, "allow_private_addresses": True}
    collector = HttpMediaCollector(
        store, tls=trusted(sandbox), threads=threads, limits=CollectorLimits(**(patient | limits))
    )
    try:
        yield collector
    finally:
        await collector.aclose()


@pytest.fixture
async def collector(
    sandbox: Sandbox, store: ObjectMediaStore, threads: Executor
) -> AsyncIterator[HttpMediaCollector]:
    async with collecting(sandbox, store, threads) as collector:
        yield collector


async def made(sandbox: Sandbox, **changes: Any) -> str:
    """The url of a finished output."""
    request = submit_request(**changes)
    async with fal_provider(sandbox) as provider:
        outcome = await settled(provider, request.model, await submitted(provider, request))
    assert isinstance(outcome, Completed)
    return outcome.files[0].url


@pytest.fixture
async def picture_url(sandbox: Sandbox) -> str:
    return await made(sandbox, model=IMAGEN)


async def content_of(store: ObjectMediaStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(key)])


async def test_a_picture_is_kept_with_a_thumbnail(
    collector: HttpMediaCollector, store: ObjectMediaStore, sandbox: Sandbox, picture_url: str
) -> None:
    output = await collector.collect(picture_url, generation_id=GENERATION, index=2)
    content = await content_of(store, output.media.key)
    assert output.kind == "image"
    assert output.media.content_type == "image/png"
    assert output.media.size_bytes == len(content)
    assert output.media.sha256 == hashlib.sha256(content).hexdigest()
    assert output.media.key.startswith(f"generations/{GENERATION}/2-")
    assert output.media.key.endswith(".png")
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (output.media.width, output.media.height) == (128, 72)
    thumbnail = await content_of(store, output.thumbnail.key)
    assert output.thumbnail.sha256 == hashlib.sha256(thumbnail).hexdigest()
    with Image.open(io.BytesIO(thumbnail)) as small:
        assert small.format == "WEBP"
        assert small.size == (output.thumbnail.width, output.thumbnail.height) == (128, 72)


async def test_a_video_is_kept_with_a_poster(
    collector: HttpMediaCollector, store: ObjectMediaStore, sandbox: Sandbox
) -> None:
    url = await made(sandbox, model=VIDEO)
    output = await collector.collect(url, generation_id=GENERATION, index=0)
    assert output.kind == "video"
    assert output.media.content_type == "video/mp4"
    assert output.media.duration_seconds > 0
    content = await content_of(store, output.media.key)
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (output.media.width, output.media.height)
    poster = await content_of(store, output.thumbnail.key)
    with Image.open(io.BytesIO(poster)) as picture:
        assert picture.format == "WEBP"
        assert picture.size == (output.thumbnail.width, output.thumbnail.height)


async def test_running_it_again_lands_under_the_same_keys(collector: HttpMediaCollector, picture_url: str) -> None:
    first = await collector.collect(picture_url, generation_id=GENERATION, index=0)
    assert await collector.collect(picture_url, generation_id=GENERATION, index=0) == first


async def test_the_type_is_sniffed_and_not_believed(
    collector: HttpMediaCollector, sandbox: Sandbox, picture_url: str
) -> None:
    await sandbox.control.fail_next("media", "wrong_type")
    output = await collector.collect(picture_url, generation_id=GENERATION, index=0)
    assert output.media.content_type == "image/png"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("html", "text/html"),
        ("text", "text/plain"),
        ("huge", "are announced"),
        ("endless", "larger than"),
        ("corrupt", r"cannot be read|damaged"),
    ],
)
async def test_what_is_wrong_for_good_is_rejected(
    sandbox: Sandbox,
    store: ObjectMediaStore,
    threads: Executor,
    picture_url: str,
    tmp_path: Path,
    kind: str,
    told: str,
) -> None:
    await sandbox.control.fail_next("media", kind)
    async with collecting(sandbox, store, threads, max_bytes=4 * 2**20) as collector:
        with pytest.raises(MediaRejected, match=told):
            await collector.collect(picture_url, generation_id=GENERATION, index=0)
    assert not list((tmp_path / "media").rglob("*.*"))


@pytest.mark.parametrize(
    "kind", ["drop", "truncated", "empty", "not_found", "http_403", "http_429", "http_500", "http_503"]
)
async def test_what_may_be_better_next_time_is_unavailable(
    collector: HttpMediaCollector, sandbox: Sandbox, picture_url: str, kind: str
) -> None:
    await sandbox.control.fail_next("media", kind)
    with pytest.raises(MediaUnavailable):
        await collector.collect(picture_url, generation_id=GENERATION, index=0)
    assert (await collector.collect(picture_url, generation_id=GENERATION, index=0)).kind == "image"


@pytest.mark.parametrize("bound", ["idle_timeout_seconds", "total_timeout_seconds"])
async def test_what_does_not_come_is_given_up(
    sandbox: Sandbox, store: ObjectMediaStore, threads: Executor, picture_url: str, bound: str
) -> None:
    await sandbox.control.fail_next("media", "slow", seconds=BOUND_SECONDS)
    async with collecting(sandbox, store, threads, **{bound: 0.5}) as collector:
        with pytest.raises(MediaUnavailable):
            await collector.collect(picture_url, generation_id=GENERATION, index=0)


async def test_a_server_that_is_down_is_unavailable(
    collector: HttpMediaCollector, sandbox: Sandbox, picture_url: str
) -> None:
    async with sandbox.control.refusing_connections("fal"):
        with pytest.raises(MediaUnavailable):
            await collector.collect(picture_url, generation_id=GENERATION, index=0)


async def test_a_certificate_that_we_do_not_trust_is_not_accepted(
    store: ObjectMediaStore, threads: Executor, picture_url: str
) -> None:
    collector = HttpMediaCollector(
        store, tls=trust(), threads=threads, limits=CollectorLimits(allow_private_addresses=True)
    )
    with pytest.raises(MediaUnavailable, match=r"(?i)certificate"):
        await collector.collect(picture_url, generation_id=GENERATION, index=0)
    await collector.aclose()


async def test_private_addresses_are_not_asked(
    sandbox: Sandbox, store: ObjectMediaStore, threads: Executor, picture_url: str
) -> None:
    before = (await sandbox.control.counters()).get("fal.media", 0)
    async with collecting(sandbox, store, threads, allow_private_addresses=False) as collector:
        for url in (picture_url, picture_url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/latest"):
            with pytest.raises(MediaRejected, match="public internet"):
                await collector.collect(url, generation_id=GENERATION, index=0)
    assert (await sandbox.control.counters()).get("fal.media", 0) == before


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:image/png;base64,AAAA", "x", ""])
async def test_other_schemes_are_not_followed(collector: HttpMediaCollector, url: str) -> None:
    with pytest.raises(MediaRejected):
        await collector.collect(url, generation_id=GENERATION, index=0)


async def test_a_picture_with_too_many_pixels_is_rejected(
    sandbox: Sandbox, store: ObjectMediaStore, threads: Executor, picture_url: str
) -> None:
    async with collecting(sandbox, store, threads, max_pixels=1000) as collector:
        with pytest.raises(MediaRejected, match="pixels"):
            await collector.collect(picture_url, generation_id=GENERATION, index=0)
