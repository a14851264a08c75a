"""The store: the same behaviour in a folder and in memory, and what reference pictures are accepted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from service.adapters.media import MediaUrlInvalid, ObjectMediaStore, ReferenceLimits, open_location
from service.adapters.media.store import output_key
from service.domain.errors import InvalidField, NotFound
from service.ports.media_store import MediaUnavailable
from tests.support.vendors import picture_bytes

USER = "user/../with odd=characters"


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2, thread_name_prefix="media") as threads:
        yield threads


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, threads: Executor) -> ObjectMediaStore:
    url = "memory:///" if request.param == "memory" else (tmp_path / "media").as_uri()
    return ObjectMediaStore(open_location(url), threads=threads, limits=ReferenceLimits(max_bytes=2**20))


@pytest.mark.parametrize("size_bytes", [0, 1, 100_000, 1_000_000])
async def test_what_is_written_is_read_in_bounded_chunks(store: ObjectMediaStore, size_bytes: int) -> None:
    content = bytes(index % 251 for index in range(size_bytes))
    await store.put("generations/g/0.png", content, "image/png")
    chunks = [chunk async for chunk in store.read("generations/g/0.png", chunk_size_bytes=65_536)]
    assert b"".join(chunks) == content
    assert all(0 < len(chunk) <= 65_536 for chunk in chunks)


@pytest.mark.parametrize(("start", "end"), [(0, 1), (10, 90_000), (99_999, 100_000), (40_000, None), (5, 5)])
async def test_a_range_is_read(store: ObjectMediaStore, start: int, end: int | None) -> None:
    content = bytes(index % 251 for index in range(100_000))
    await store.put("generations/g/0.png", content, "image/png")
    chunks = [
        chunk async for chunk in store.read("generations/g/0.png", start=start, end=end, chunk_size_bytes=65_536)
    ]
    assert b"".join(chunks) == content[start:end]
    assert all(0 < len(chunk) <= 65_536 for chunk in chunks)


@pytest.mark.parametrize("key", ["generations/g/none.png", "../outside", "a//b", "", "/etc/hostname"])
async def test_a_key_that_names_no_file_is_not_found(store: ObjectMediaStore, key: str) -> None:
    with pytest.raises(NotFound):
        [chunk async for chunk in store.read(key)]


async def test_a_file_is_written_from_a_file_object(store: ObjectMediaStore) -> None:
    await store.put("generations/g/1.mp4", io.BytesIO(b"x" * 6_000_000), "video/mp4")
    total = 0
    async for chunk in store.read("generations/g/1.mp4"):
        total += len(chunk)
    assert total == 6_000_000


@pytest.mark.parametrize(
    ("codec", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
async def test_a_reference_picture_is_kept(store: ObjectMediaStore, codec: str, content_type: str) -> None:
    content = picture_bytes(codec)
    saved = await store.save_reference(USER, content)
    assert (saved.content_type, saved.size_bytes) == (content_type, len(content))
    assert (saved.width, saved.height) == (96, 64)
    assert await store.find_reference(USER, saved.media_id) == saved
    assert await store.read_reference(USER, saved.media_id) == (content, content_type)
    assert await store.save_reference(USER, content) == saved


async def test_a_reference_picture_is_its_owners(store: ObjectMediaStore) -> None:
    saved = await store.save_reference(USER, picture_bytes())
    assert await store.find_reference("another", saved.media_id) is None
    with pytest.raises(NotFound):
        await store.read_reference("another", saved.media_id)


@pytest.mark.parametrize("media_id", ["", "../../x", "0" * 31, "G" * 32, "0" * 32])
async def test_an_id_that_is_none_finds_nothing(store: ObjectMediaStore, media_id: str) -> None:
    assert await store.find_reference(USER, media_id) is None


async def test_what_a_camera_noted_is_applied_and_removed(store: ObjectMediaStore) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn by 90 degrees to see it upright.
    exif[0x010E] = "taken at home"
    content = picture_bytes("JPEG", exif=exif)
    saved = await store.save_reference(USER, content)
    assert (saved.width, saved.height) == (64, 96)
    kept, content_type = await store.read_reference(USER, saved.media_id)
    assert b"taken at home" in content
    assert b"taken at home" not in kept
    assert (content_type, saved.size_bytes) == ("image/jpeg", len(kept))
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.size == (64, 96)
        assert not picture.getexif()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"just some words, no picture", "it looks like text/plain; send a PNG, JPEG or WebP picture"),
        (b"<!DOCTYPE html><html></html>", "it looks like text/html"),
        (b"%PDF-1.7 and so on", "it looks like application/pdf"),
        (b"\x00\x01\x02\x03" * 10, "it looks like unknown data"),
        (picture_bytes("GIF"), "it looks like image/gif"),
        (picture_bytes("PNG", (400, 300))[:-500], "is cut off or damaged"),
        (picture_bytes("JPEG", (400, 300))[:-500], "is cut off or damaged"),
        (picture_bytes("PNG", (63, 200)), "63 x 200 pixels"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2**20), "at most 1048576 are possible"),
    ],
)
async def test_what_is_no_reference_picture_is_refused(store: ObjectMediaStore, content: bytes, told: str) -> None:
    with pytest.raises(InvalidField) as refused:
        await store.save_reference(USER, content)
    assert refused.value.field == "content"
    assert told in refused.value.description


async def test_a_small_file_with_a_huge_picture_is_refused_before_it_is_decoded(store: ObjectMediaStore) -> None:
    target = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(target, "PNG")
    assert len(target.getvalue()) < 2**20
    with pytest.raises(InvalidField, match="pixels"):
        await store.save_reference(USER, target.getvalue())


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path, threads: Executor) -> None:
    store = ObjectMediaStore(open_location((tmp_path / "media").as_uri()), threads=threads)
    (tmp_path / "media" / "generations").write_text("in the way")
    with pytest.raises(MediaUnavailable, match=r"generations/g/0\.png could not be written"):
        await store.put("generations/g/0.png", b"x", "image/png")


async def test_files_lie_where_the_store_says(tmp_path: Path, threads: Executor) -> None:
    store = ObjectMediaStore(open_location((tmp_path / "media").as_uri()), threads=threads)
    key = output_key("6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b", 3, "ab" * 32, "png")
    await store.put(key, b"x", "image/png")
    path = store.path_of(key)
    assert path is not None
    assert path.read_bytes() == b"x"
    assert path == tmp_path / "media/generations/6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b/3-abababababababab.png"


@pytest.mark.parametrize("url", ["", "media", "ftp://host/x", "s3://", "file://host/x/y"])
def test_a_wrong_location_is_refused_in_plain_words(url: str) -> None:
    with pytest.raises(MediaUrlInvalid, match="give file:///folder, s3://bucket/prefix"):
        open_location(url)


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "gs://bucket/prefix", "az://container/prefix"])
def test_buckets_are_opened_without_being_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert ObjectMediaStore(open_location(url), threads=ThreadPoolExecutor(1)).path_of("x") is None
