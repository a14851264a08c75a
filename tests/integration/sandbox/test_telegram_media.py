"""Photos, videos and documents: what they really are, their ids, and how they are sent again."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from sandbox.telegram.inspection import MAX_PHOTO_BYTES
from tests.support.bot_api import Calls, clip, picture


def png_that_claims(width: int, height: int) -> bytes:
    """The head of a PNG file of this size, and nothing else."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (head, pixels)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


PNG = picture(64, 48, file_format="PNG")
SILENT = clip()
WITH_SOUND = clip(sound=True)


async def download(api: Calls, file_id: str) -> bytes:
    file = await api.ok("getFile", file_id=file_id)
    answer = await api.http.get(f"{api.people.api_url}/file/bot{api.people.token}/{file['file_path']}")
    assert len(answer.content) == file["file_size"]
    return answer.content


async def test_a_photo_is_kept_in_sizes(api: Calls) -> None:
    person = await api.person()
    large = picture(2000, 1000)
    sent = await api.ok("sendPhoto", {"photo": large}, chat_id=person.user_id, caption="Море")
    sizes = sent["photo"]
    assert [(size["width"], size["height"]) for size in sizes] == [(90, 45), (320, 160), (800, 400), (1280, 640)]
    assert len({size["file_id"] for size in sizes}) == len({size["file_unique_id"] for size in sizes}) == 4
    for size in sizes:
        with Image.open(io.BytesIO(await download(api, size["file_id"]))) as opened:
            assert (opened.format, *opened.size) == ("JPEG", size["width"], size["height"])
    seen = (await person.messages())[-1]
    assert seen.media is not None
    assert (seen.text, seen.media.kind, seen.media.width) == ("Море", "photo", 1280)
    assert seen.media.sha256 == hashlib.sha256(large).hexdigest()


async def test_a_small_jpeg_stays_as_it_is(api: Calls) -> None:
    person = await api.person()
    small = picture(80, 60)
    sent = await api.ok("sendPhoto", {"photo": small}, chat_id=person.user_id)
    assert len(sent["photo"]) == 1
    assert await download(api, sent["photo"][0]["file_id"]) == small
    seen = (await person.messages())[-1]
    assert seen.media is not None
    assert await api.people.bytes_of(seen.media) == small


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (picture()[:200], "IMAGE_PROCESS_FAILED"),
        (b"", "file must be non-empty"),
        (picture(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        (png_that_claims(50_000, 50_000), "PHOTO_INVALID_DIMENSIONS"),
        (png_that_claims(64, 64), "IMAGE_PROCESS_FAILED"),
        (
            bytes(MAX_PHOTO_BYTES + 1),
            f"file of size {MAX_PHOTO_BYTES + 1} bytes is too big for a photo; "
            f"the maximum size is {MAX_PHOTO_BYTES} bytes",
        ),
    ],
    ids=["noise", "cut off", "empty", "too long and thin", "a bomb", "without pixels", "too large"],
)
async def test_what_is_no_photo_is_refused(api: Calls, content: bytes, description: str) -> None:
    person = await api.person()
    refusal = await api.refused("sendPhoto", {"photo": content}, chat_id=person.user_id)
    assert refusal.description == f"Bad Request: {description}"
    assert [message.from_bot for message in await person.messages()] == [False]


async def test_a_video_is_measured(api: Calls) -> None:
    person = await api.person()
    sent = await api.ok("sendVideo", {"video": SILENT}, chat_id=person.user_id, supports_streaming=True)
    video = sent["video"]
    assert (video["width"], video["height"], video["duration"], video["mime_type"]) == (64, 48, 1, "video/mp4")
    assert video["thumbnail"]["width"] == 64
    assert await download(api, video["file_id"]) == SILENT
    with Image.open(io.BytesIO(await download(api, video["thumbnail"]["file_id"]))) as thumbnail:
        assert thumbnail.format == "JPEG"


async def test_a_bot_may_say_how_large_a_video_is_and_bring_pictures_for_it(api: Calls) -> None:
    person = await api.person()
    files = {"clip": SILENT, "small": picture(320, 240, "red"), "front": picture(640, 480, "navy")}
    told = {"width": 640, "height": 480, "duration": 8}
    attached = {"video": "attach://clip", "thumbnail": "attach://small", "cover": "attach://front"}
    sent = await api.ok("sendVideo", files, chat_id=person.user_id, **told, **attached)
    video = sent["video"]
    assert {name: video[name] for name in told} == told
    assert await download(api, video["thumbnail"]["file_id"]) == files["small"]
    assert await download(api, video["cover"][-1]["file_id"]) == files["front"]


@pytest.mark.parametrize(
    ("small", "description"),
    [
        (picture(321, 10), "sandbox: a thumbnail must be a JPEG of at most 320 pixels a side"),
        (PNG, "sandbox: a thumbnail must be a JPEG of at most 320 pixels a side"),
        (bytes(205_000), "file of size 205000 bytes is too big for a thumbnail"),
    ],
    ids=["too wide", "png", "too large"],
)
async def test_a_thumbnail_that_would_not_be_shown_is_refused(api: Calls, small: bytes, description: str) -> None:
    person = await api.person()
    files = {"video": SILENT, "thumbnail": small}
    refusal = await api.refused("sendVideo", files, chat_id=person.user_id)
    assert refusal.description == f"Bad Request: {description}"


@pytest.mark.parametrize(
    ("method", "content", "more", "fields"),
    [
        ("sendVideo", SILENT, {}, {"video"}),
        ("sendVideo", PNG, {}, {"document"}),
        ("sendAnimation", SILENT, {}, {"animation", "document"}),
        ("sendAnimation", WITH_SOUND, {}, {"video"}),
        ("sendDocument", SILENT, {}, {"animation", "document"}),
        ("sendDocument", WITH_SOUND, {}, {"video"}),
        ("sendDocument", SILENT, {"disable_content_type_detection": True}, {"document"}),
        ("sendDocument", PNG, {}, {"document"}),
    ],
)
async def test_a_file_becomes_what_it_is(
    api: Calls, method: str, content: bytes, more: dict[str, Any], fields: set[str]
) -> None:
    person = await api.person()
    field = method.removeprefix("send").lower()
    sent = await api.ok(method, {field: content}, chat_id=person.user_id, **more)
    assert set(sent) & {"photo", "video", "animation", "document"} == fields


async def test_a_document_keeps_its_name_and_bytes(api: Calls) -> None:
    person = await api.person()
    url = f"{api.base}/sendDocument"
    answer = await api.http.post(
        url, data={"chat_id": str(person.user_id)}, files={"document": ("dir/море.png", PNG)}
    )
    document = answer.json()["result"]["document"]
    assert (document["file_name"], document["mime_type"]) == ("море.png", "image/png")
    assert await download(api, document["file_id"]) == PNG


async def test_a_file_sent_again_keeps_its_id(api: Calls) -> None:
    person = await api.person()
    other = await api.person()
    first = await api.ok("sendPhoto", {"photo": picture(1000, 500)}, chat_id=person.user_id)
    for size in first["photo"]:
        again = await api.ok("sendPhoto", chat_id=other.user_id, photo=size["file_id"], caption="again")
        assert again["photo"] == first["photo"]
    twin = await api.ok("sendPhoto", {"photo": picture(1000, 500)}, chat_id=person.user_id)
    assert twin["photo"][-1]["file_id"] != first["photo"][-1]["file_id"]


async def test_an_id_stands_for_one_kind(api: Calls) -> None:
    person = await api.person()
    chat_id = person.user_id
    photo = (await api.ok("sendPhoto", {"photo": picture()}, chat_id=chat_id))["photo"][-1]["file_id"]
    video = (await api.ok("sendVideo", {"video": SILENT}, chat_id=chat_id))["video"]
    refusals = [
        await api.refused("sendVideo", chat_id=chat_id, video=photo),
        await api.refused("sendDocument", chat_id=chat_id, document=photo),
        await api.refused("sendPhoto", chat_id=chat_id, photo=video["file_id"]),
        await api.refused("sendPhoto", chat_id=chat_id, photo="AgACnothing"),
        await api.refused("sendPhoto", chat_id=chat_id, photo="https://example.org/a.jpg"),
        await api.refused("sendPhoto", chat_id=chat_id),
        await api.refused("sendPhoto", chat_id=chat_id, photo="attach://elsewhere"),
        await api.refused("getFile", file_id="AgACnothing"),
        await api.refused("getFile"),
    ]
    assert [refusal.description.removeprefix("Bad Request: ") for refusal in refusals] == [
        "can't use file of type Photo as Video",
        "can't use file of type Photo as Document",
        "can't use file of type Video as Photo",
        "wrong file identifier/HTTP URL specified",
        "failed to get HTTP URL content",
        "there is no photo in the request",
        "there is no file elsewhere in the request, and photo is attached as that",
        "wrong file_id or the file is temporarily unavailable",
        "file_id not specified",
    ]
    as_document = await api.ok("sendDocument", chat_id=chat_id, document=video["file_id"])
    assert as_document["video"] == video


async def test_an_album_is_several_messages(api: Calls) -> None:
    person = await api.person()
    known = (await api.ok("sendPhoto", {"photo": picture()}, chat_id=person.user_id))["photo"][-1]["file_id"]
    media = [
        {"type": "photo", "media": "attach://one", "caption": "<b>one</b>", "parse_mode": "HTML"},
        {"type": "video", "media": "attach://two"},
        {"type": "photo", "media": known},
    ]
    files = {"one": picture(50, 50), "two": SILENT}
    sent = await api.ok("sendMediaGroup", files, chat_id=person.user_id, media=media)
    assert len({message["media_group_id"] for message in sent}) == 1
    assert [sorted(set(message) & {"photo", "video"}) for message in sent] == [["photo"], ["video"], ["photo"]]
    assert sent[0]["caption"] == "one"
    assert [message.album for message in (await person.messages())[-3:]] == [sent[0]["media_group_id"]] * 3


@pytest.mark.parametrize(
    ("media", "description"),
    [
        ([], "the number of media in an album must be from 2 to 10"),
        ([{"type": "photo", "media": "attach://p"}], "the number of media in an album must be from 2 to 10"),
        (
            [{"type": "photo", "media": "attach://p"}, {"type": "document", "media": "attach://d"}],
            "can't use the media of the specified type in the album",
        ),
        (
            [{"type": "photo", "media": "attach://p"}, {"type": "animation", "media": "attach://d"}],
            "can't parse InputMedia: type \"animation\" can't be used in sendMediaGroup",
        ),
        (
            [{"type": "photo", "media": "attach://p"}, {"type": "photo", "media": "attach://p", "width": 5}],
            "sandbox: InputMedia of type photo has no field width",
        ),
        (["photo", "photo"], "can't parse InputMedia: expected an Object"),
    ],
)
async def test_albums_that_telegram_refuses(api: Calls, media: list[Any], description: str) -> None:
    person = await api.person()
    files = {name: content for name, content in {"p": picture(), "d": SILENT}.items() if f"//{name}'" in str(media)}
    refusal = await api.refused("sendMediaGroup", files or None, chat_id=person.user_id, media=media)
    assert refusal.description == f"Bad Request: {description}"


async def test_people_send_pictures_and_files_too(api: Calls) -> None:
    person = await api.person()
    await person.send_photo(picture(1000, 1000), "это я")
    await person.send_document(PNG, "я.png")
    await person.send_video(WITH_SOUND)
    updates = await api.ok("getUpdates")
    photo, document, video = (update["message"] for update in updates[-3:])
    assert (photo["caption"], photo["from"]["id"]) == ("это я", person.user_id)
    with Image.open(io.BytesIO(await download(api, photo["photo"][-1]["file_id"]))) as opened:
        assert opened.size == (1000, 1000)
    assert (document["document"]["file_name"], document["document"]["mime_type"]) == ("я.png", "image/png")
    assert video["video"]["duration"] == 1
