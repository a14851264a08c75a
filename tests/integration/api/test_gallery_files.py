"""GalleryService: downloads, and uploads of reference pictures."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
from typing import Any

import grpc
import pytest
from PIL import Image
from triptych.v1 import gallery_service_pb2 as pb

from service.adapters.media import ObjectMediaStore
from tests.support.api import BOUND_SECONDS, Api, fresh_name, picture
from tests.support.galleries import curate, gallery_of
from tests.support.grpc_errors import refusal_of

Rendition = pb.DownloadMediaRequest.Rendition


async def download(api: Api, **request: Any) -> tuple[pb.DownloadMediaResponse.Metadata, bytes]:
    call = api.gallery.DownloadMedia(pb.DownloadMediaRequest(**request), timeout=BOUND_SECONDS)
    first, *rest = [message async for message in call]
    assert all(message.WhichOneof("content") == "chunk" for message in rest)
    return first.metadata, b"".join(message.chunk for message in rest)


@pytest.mark.parametrize(
    ("rendition", "size"),
    [
        (Rendition.RENDITION_UNSPECIFIED, (64, 48)),
        (Rendition.RENDITION_ORIGINAL, (64, 48)),
        (Rendition.RENDITION_THUMBNAIL, (16, 12)),
    ],
)
async def test_download_brings_the_file(api: Api, rendition: int, size: tuple[int, int]) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    metadata, content = await download(
        api, user_id=user_id, item_id=item_id, rendition=rendition, at_least_position=position
    )
    assert content == picture("red", size)
    assert (metadata.size_bytes, metadata.content_type) == (len(content), "image/png")
    assert metadata.sha256 == hashlib.sha256(content).hexdigest()
    assert metadata.file_name.startswith(item_id)
    assert metadata.file_name.endswith(".png")


@pytest.mark.parametrize(("offset", "limit"), [(0, 10), (7, 20), (50, 0), (60, 100_000), (None, 3)])
async def test_a_range_of_a_file(api: Api, offset: int | None, limit: int) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    whole = picture("red", (64, 48))
    start = len(whole) if offset is None else offset
    metadata, content = await download(
        api, user_id=user_id, item_id=item_id, at_least_position=position, read_offset=start, read_limit=limit
    )
    assert content == whole[start:][: limit or None]
    assert (metadata.size_bytes, metadata.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


@pytest.mark.parametrize(("field", "value"), [("read_offset", -1), ("read_offset", 10_000_000), ("read_limit", -1)])
async def test_a_range_outside_of_a_file_is_refused(api: Api, field: str, value: int) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    wanted = pb.DownloadMediaRequest(user_id=user_id, item_id=item_id, at_least_position=position)
    setattr(wanted, field, value)
    refusal = await refusal_of(anext(aiter(api.gallery.DownloadMedia(wanted, timeout=BOUND_SECONDS))))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {field}


async def test_what_is_in_the_trash_can_be_downloaded(api: Api) -> None:
    """So that it can be looked at before it is restored."""
    user_id, (item_id,), _ = await gallery_of(api, ["a red fox"])
    position = (await curate(api, "Trash", user_id, item_id)).position
    _, content = await download(api, user_id=user_id, item_id=item_id, at_least_position=position)
    assert content == picture("red", (64, 48))


async def test_file_that_is_not_there_is_told_before_anything_is_sent(api: Api) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=position)
    item = (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item
    assert isinstance(api.core.media, ObjectMediaStore)
    path = api.core.media.path_of(item.media.key)
    assert path is not None
    path.unlink()
    wanted = pb.DownloadMediaRequest(user_id=user_id, item_id=item_id)
    call = api.gallery.DownloadMedia(wanted, timeout=BOUND_SECONDS)
    assert (await refusal_of(anext(aiter(call)))).code is grpc.StatusCode.NOT_FOUND


async def upload(api: Api, *messages: pb.UploadMediaRequest) -> pb.UploadMediaResponse:
    response: pb.UploadMediaResponse = await api.gallery.UploadMedia(iter(messages), timeout=BOUND_SECONDS)
    return response


def metadata(user_id: str, size_bytes: int = 0) -> pb.UploadMediaRequest:
    return pb.UploadMediaRequest(metadata=pb.UploadMediaRequest.Metadata(user_id=user_id, size_bytes=size_bytes))


def chunk(content: bytes) -> pb.UploadMediaRequest:
    return pb.UploadMediaRequest(chunk=content)


async def test_reference_is_kept_used_and_given_back(api: Api) -> None:
    user_id = await api.user_with(100)
    content = picture("blue", (512, 512), "JPEG")
    kept = await upload(api, metadata(user_id, len(content)), chunk(content[:1000]), chunk(content[1000:]))
    assert (kept.content_type, kept.width, kept.height) == ("image/jpeg", 512, 512)
    again = await upload(api, metadata(user_id), chunk(content))
    assert again.media_id == kept.media_id

    generation = (await api.request(user_id, type="avatar", reference_media_id=kept.media_id)).generation
    assert generation.reference_media_id == kept.media_id
    told, downloaded = await download(api, user_id=user_id, reference_media_id=kept.media_id)
    assert hashlib.sha256(downloaded).hexdigest() == told.sha256
    others = await refusal_of(
        api.gallery.DownloadMedia(
            pb.DownloadMediaRequest(user_id=fresh_name(), reference_media_id=kept.media_id), timeout=BOUND_SECONDS
        )
    )
    assert others.code is grpc.StatusCode.NOT_FOUND


def noise(side: int) -> bytes:
    """A picture that no format makes small: about three bytes a pixel."""
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(1).randbytes(3 * side * side)).save(file, "PNG")
    return file.getvalue()


async def test_large_reference_comes_in_chunks_and_goes_back_whole(api: Api) -> None:
    user_id, content = fresh_name(), noise(1700)
    chunks = [chunk(content[start : start + 2**20]) for start in range(0, len(content), 2**20)]
    assert len(chunks) > 8
    kept = await upload(api, metadata(user_id, len(content)), *chunks)
    assert (kept.width, kept.height) == (1700, 1700)
    told, downloaded = await download(api, user_id=user_id, reference_media_id=kept.media_id)
    assert (told.size_bytes, len(downloaded)) == (kept.size_bytes, kept.size_bytes)
    assert hashlib.sha256(downloaded).hexdigest() == told.sha256


async def test_upload_that_is_given_up_leaves_nothing(api: Api) -> None:
    user_id, content = fresh_name(), picture("green", (512, 512))
    call = api.gallery.UploadMedia(timeout=BOUND_SECONDS)
    await call.write(metadata(user_id))
    await call.write(chunk(content))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # The id follows from the bytes, so another user's upload tells what this one's would be.
    media_id = (await upload(api, metadata(fresh_name()), chunk(content))).media_id
    assert await api.core.media.find_reference(user_id, media_id) is None


BAD_UPLOADS: list[tuple[str, list[pb.UploadMediaRequest]]] = [
    ("metadata", []),
    ("metadata", [chunk(b"x")]),
    ("metadata.user_id", [metadata("a/b"), chunk(b"x")]),
    ("metadata.size_bytes", [metadata("u", 2**40), chunk(b"x")]),
    ("metadata.size_bytes", [metadata("u", -1), chunk(b"x")]),
    ("metadata.size_bytes", [metadata("u", 1000), chunk(picture())]),
    ("chunk", [metadata("u")]),
    ("chunk", [metadata("u"), metadata("u")]),
    ("chunk", [metadata("u"), chunk(b"x" * (2**20 + 1))]),
    ("chunk", [metadata("u"), *[chunk(b"x" * 2**20)] * 11]),
    ("content", [metadata("u"), chunk(b"This is no picture, it is a text file.\n" * 100)]),
]


@pytest.mark.parametrize(("field", "messages"), BAD_UPLOADS)
async def test_upload_that_cannot_be_right_names_the_field(
    api: Api, field: str, messages: list[pb.UploadMediaRequest]
) -> None:
    refusal = await refusal_of(upload(api, *messages))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]


async def test_download_of_what_is_not_there(api: Api) -> None:
    user_id, (item_id,), _ = await gallery_of(api, ["a red fox"])
    cases: list[tuple[grpc.StatusCode, dict[str, Any]]] = [
        (grpc.StatusCode.NOT_FOUND, {"user_id": fresh_name(), "item_id": item_id}),
        (grpc.StatusCode.NOT_FOUND, {"user_id": user_id, "reference_media_id": "nothing"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id, "reference_media_id": "../x"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id, "item_id": "../x"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id}),
    ]
    for code, changes in cases:
        call = api.gallery.DownloadMedia(pb.DownloadMediaRequest(**changes), timeout=BOUND_SECONDS)
        assert (await refusal_of(call)).code is code, changes
