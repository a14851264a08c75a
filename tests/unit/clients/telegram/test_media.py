"""What an item is sent as: Telegram takes photos up to 10 MB, other files up to 50 MB."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from clients.sdk import MediaKind
from clients.telegram.media import key_of, kind_of, small_jpeg
from clients.telegram.store.file_ids import Kind
from tests.unit.clients.telegram.samples import an_item, media

MB = 10**6


@pytest.mark.parametrize(
    ("kind", "size_bytes", "sent_as", "whole"),
    [
        (MediaKind.IMAGE, 2 * MB, "photo", True),
        (MediaKind.IMAGE, 11 * MB, "photo", False),
        (MediaKind.VIDEO, 11 * MB, "video", True),
        (MediaKind.VIDEO, 51 * MB, "photo", False),
    ],
)
def test_what_is_too_large_is_shown_by_its_thumbnail(
    kind: MediaKind, size_bytes: int, sent_as: Kind, whole: bool
) -> None:
    item = an_item(kind=kind, media=media(key="original", size_bytes=size_bytes), thumbnail=media(key="small"))
    assert kind_of(item) == sent_as
    assert key_of(item, sent_as) == ("original" if whole else "small")
    assert key_of(item, "document") == "original"


@pytest.mark.parametrize(("size", "whole"), [((6000, 4000), True), ((6001, 4000), False), ((2001, 100), False)])
def test_so_is_what_has_too_long_sides(size: tuple[int, int], whole: bool) -> None:
    original = media(key="original", width=size[0], height=size[1])
    assert key_of(an_item(media=original, thumbnail=media(key="small")), "photo") == (
        "original" if whole else "small"
    )


@pytest.mark.parametrize("size", [(512, 288), (288, 512), (64, 64)])
def test_a_videos_small_picture_is_a_jpeg_of_at_most_320_pixels(size: tuple[int, int]) -> None:
    poster = io.BytesIO()
    Image.new("RGBA", size, (200, 0, 0, 255)).save(poster, "WEBP")
    with Image.open(io.BytesIO(small_jpeg(poster.getvalue()))) as small:
        assert small.format == "JPEG"
        assert max(small.size) == min(320, max(size))
