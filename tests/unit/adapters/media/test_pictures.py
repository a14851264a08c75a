from __future__ import annotations

import io

import pytest
from PIL import Image

from service.adapters.media.kinds import KINDS
from service.adapters.media.pictures import Damaged, examine_picture, opened_picture, without_metadata
from tests.support.vendors import picture_bytes

ORIENTATION, DESCRIPTION = 0x0112, 0x010E
MANY = 10_000_000


def camera_notes(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = "taken at home"
    return exif


@pytest.mark.parametrize("codec", ["PNG", "JPEG", "WEBP"])
def test_thumbnails_are_upright_small_and_without_metadata(codec: str) -> None:
    seen = examine_picture(io.BytesIO(picture_bytes(codec, (1024, 512), exif=camera_notes(6))), max_pixels=MANY)
    assert (seen.width, seen.height) == (512, 1024)
    assert (seen.thumbnail.width, seen.thumbnail.height) == (256, 512)
    with Image.open(io.BytesIO(seen.thumbnail.content)) as small:
        assert small.format == "WEBP"
        assert not small.getexif()
        assert {"exif", "xmp", "icc_profile"}.isdisjoint(small.info)
    assert b"taken at home" not in seen.thumbnail.content


def test_small_pictures_are_not_enlarged() -> None:
    seen = examine_picture(io.BytesIO(picture_bytes("PNG", (40, 30))), max_pixels=MANY)
    assert (seen.thumbnail.width, seen.thumbnail.height) == (40, 30)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_pixel_has_a_thumbnail(mode: str) -> None:
    target = io.BytesIO()
    Image.new(mode, (20, 10)).save(target, "PNG")
    seen = examine_picture(target, max_pixels=MANY)
    with Image.open(io.BytesIO(seen.thumbnail.content)) as small:
        assert small.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")


def test_cmyk_has_a_thumbnail() -> None:
    target = io.BytesIO()
    Image.new("CMYK", (20, 10)).save(target, "JPEG")
    assert examine_picture(target, max_pixels=MANY).thumbnail.content


@pytest.mark.parametrize("codec", ["PNG", "JPEG", "WEBP"])
def test_what_is_cut_off_is_damaged(codec: str) -> None:
    content = picture_bytes(codec, (300, 200))
    with pytest.raises(Damaged):
        examine_picture(io.BytesIO(content[: len(content) // 2]), max_pixels=MANY)


def test_a_picture_without_notes_stays_as_it_is() -> None:
    with opened_picture(io.BytesIO(picture_bytes("JPEG")), max_pixels=MANY) as picture:
        assert without_metadata(picture, KINDS["image/jpeg"]) is None


@pytest.mark.parametrize(
    ("codec", "content_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_notes_are_removed_and_the_picture_stays(codec: str, content_type: str) -> None:
    original = picture_bytes(codec, (80, 60), exif=camera_notes(3))
    with opened_picture(io.BytesIO(original), max_pixels=MANY) as picture:
        cleaned = without_metadata(picture, KINDS[content_type])
    assert cleaned is not None
    with Image.open(io.BytesIO(original)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert after.format == codec
        assert not after.getexif()
        turned = before.convert("RGB").rotate(180)
        assert after.convert("RGB").resize((1, 1)).getpixel((0, 0)) == pytest.approx(
            turned.resize((1, 1)).getpixel((0, 0)), abs=4
        )
