"""Downloads that are whole or not there, uploads in chunks."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path

import grpc
import pytest
from triptych.v1 import gallery_service_pb2 as pb

from clients import sdk
from clients.sdk.calls.gallery import UPLOAD_CHUNK_BYTES
from tests.unit.clients.scripted import Bare, Caller, ScriptedServer

AWAY = Bare(grpc.StatusCode.UNAVAILABLE, "Socket closed")
CONTENT = bytes(range(256)) * 400


def about(content: bytes = CONTENT, file_name: str = "x.0.png") -> pb.DownloadMediaResponse:
    metadata = pb.DownloadMediaResponse.Metadata(
        content_type="image/png",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        file_name=file_name,
    )
    return pb.DownloadMediaResponse(metadata=metadata)


def chunks(content: bytes = CONTENT) -> list[pb.DownloadMediaResponse]:
    half = len(content) // 2
    return [pb.DownloadMediaResponse(chunk=content[:half]), pb.DownloadMediaResponse(chunk=content[half:])]


async def test_a_file_is_saved_under_the_path(server: ScriptedServer, caller: Caller, tmp_path: Path) -> None:
    server.will([about(), *chunks()])
    target = tmp_path / "fox.png"
    target.write_bytes(b"an older one")
    saved = await caller.call("download", "anna", "x.0", target, thumbnail=True)
    assert (saved.path, saved.info.size_bytes) == (target, len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [target]
    assert server.requests[0].rendition == pb.DownloadMediaRequest.RENDITION_THUMBNAIL


@pytest.mark.parametrize("file_name", ["x.0.png", "../x.0.png", "/etc/x.0.png", "..\\x.0.png"])
async def test_a_file_is_saved_into_a_folder_and_nowhere_else(
    server: ScriptedServer, caller: Caller, tmp_path: Path, file_name: str
) -> None:
    server.will([about(file_name=file_name), *chunks()])
    saved = await caller.call("download", "anna", "x.0", str(tmp_path))
    assert saved.path == tmp_path / "x.0.png"
    assert saved.path.read_bytes() == CONTENT


async def test_a_broken_download_begins_again(server: ScriptedServer, caller: Caller, tmp_path: Path) -> None:
    server.will([AWAY], [about(), chunks()[0], AWAY], [about(), *chunks()])
    await caller.call("download", "anna", "x.0", tmp_path / "fox.png")
    assert (tmp_path / "fox.png").read_bytes() == CONTENT


async def test_a_writer_is_never_given_bytes_twice(server: ScriptedServer, caller: Caller) -> None:
    server.will([about(), chunks()[0], AWAY], [about(), *chunks()])
    writer = io.BytesIO()
    with pytest.raises(sdk.Unavailable):
        await caller.call("download", "anna", "x.0", writer)
    assert writer.getvalue() == CONTENT[: len(CONTENT) // 2]
    whole = io.BytesIO()
    assert (await caller.call("download", "anna", "x.0", whole)).path is None
    assert whole.getvalue() == CONTENT


@pytest.mark.parametrize("damage", ["short", "changed", "nothing", "headless"])
async def test_a_damaged_download_leaves_nothing(
    server: ScriptedServer, caller: Caller, tmp_path: Path, damage: str
) -> None:
    answers = {
        "short": [about(), chunks()[0]],
        "changed": [about(), *chunks(CONTENT[::-1])],
        "nothing": [],
        "headless": chunks(),
    }
    server.will(answers[damage])
    with pytest.raises(sdk.DamagedDownload):
        await caller.call("download", "anna", "x.0", tmp_path / "fox.png")
    assert not list(tmp_path.iterdir())


async def test_a_folder_that_is_not_there_is_named(server: ScriptedServer, caller: Caller, tmp_path: Path) -> None:
    server.will([about(), *chunks()])
    with pytest.raises(FileNotFoundError, match="no-such-folder"):
        await caller.call("download", "anna", "x.0", tmp_path / "no-such-folder" / "fox.png")


async def content_of(stream: sdk.MediaStream | sdk.AsyncMediaStream) -> bytes:
    if isinstance(stream, sdk.MediaStream):
        return await asyncio.to_thread(lambda: b"".join(stream))
    return b"".join([chunk async for chunk in stream])


async def test_media_is_passed_on_as_it_comes(server: ScriptedServer, caller: Caller) -> None:
    server.will([about(), *chunks()])
    stream = await caller.call("open_media", "anna", reference_media_id="ref-1")
    assert stream.info.content_type == "image/png"
    assert await content_of(stream) == CONTENT
    assert server.requests[0].reference_media_id == "ref-1"


async def test_a_range_is_asked_for_and_checked_by_its_size(server: ScriptedServer, caller: Caller) -> None:
    server.will([about(), pb.DownloadMediaResponse(chunk=CONTENT[2:5])], [about(), *chunks()])
    stream = await caller.call("open_media", "anna", "x.0", offset=2, limit=3)
    assert await content_of(stream) == CONTENT[2:5]
    assert (server.requests[0].read_offset, server.requests[0].read_limit) == (2, 3)
    stream = await caller.call("open_media", "anna", "x.0", offset=2, limit=3)
    with pytest.raises(sdk.DamagedDownload):
        await content_of(stream)


async def test_an_upload_goes_in_chunks_and_again_if_need_be(
    server: ScriptedServer, caller: Caller, tmp_path: Path
) -> None:
    server.will([AWAY], pb.UploadMediaResponse(media_id="m", width=3))
    picture = tmp_path / "me.png"
    picture.write_bytes(b"x" * (UPLOAD_CHUNK_BYTES + 1))
    reference = await caller.call("upload_reference", "anna", picture)
    assert (reference.media_id, reference.width) == ("m", 3)
    metadata, *parts = server.requests[-1]
    assert (metadata.metadata.user_id, metadata.metadata.size_bytes) == ("anna", UPLOAD_CHUNK_BYTES + 1)
    assert [len(part.chunk) for part in parts] == [UPLOAD_CHUNK_BYTES, 1]


async def test_a_file_that_is_not_there_is_an_os_error(caller: Caller, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await caller.call("upload_reference", "anna", tmp_path / "nobody.png")
