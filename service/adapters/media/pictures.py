"""Pictures: are they whole, how large, and what do they look like small.

A picture is decoded completely before it counts as one: a right header proves nothing. Its size in pixels is
checked before that, from the header, so that a small file cannot unfold into gigabytes. These functions keep a core
busy and belong in a thread.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import msgspec
from PIL import Image, ImageOps

from service.adapters.media.kinds import KINDS, FileKind

THUMBNAIL_SIDE_PIXELS = 512
THUMBNAIL_CONTENT_TYPE = "image/webp"
_WEBP_QUALITY = 80
_JPEG_QUALITY = 95
# What Pillow's decoders raise for files that are not right.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error, zlib.error)
_FORMATS = tuple(kind.codec for kind in KINDS.values() if kind.kind == "image")


class Damaged(Exception):
    """Not a picture or video that can be shown; the message continues "it ..."."""


class Thumbnail(msgspec.Struct, frozen=True):
    """WebP without any metadata. Sizes in pixels."""

    content: bytes
    width: int
    height: int


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes as shown (after the orientation that a camera noted), in pixels and seconds."""

    width: int
    height: int
    duration_seconds: float = 0.0
    thumbnail: Thumbnail


def examine_picture(file: IO[bytes], *, max_pixels: int) -> Examined:
    """Decodes a picture. Raises Damaged."""
    with opened_picture(file, max_pixels=max_pixels) as picture:
        upright = ImageOps.exif_transpose(picture)
        return Examined(width=upright.width, height=upright.height, thumbnail=thumbnail_of(upright))


@contextmanager
def opened_picture(file: IO[bytes], *, max_pixels: int) -> Iterator[Image.Image]:
    """The decoded picture, as stored. Raises Damaged."""
    file.seek(0)
    try:
        picture = Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Damaged(f"has far too many pixels; at most {max_pixels} are taken") from error
    except _BROKEN as error:
        raise Damaged(f"cannot be read as a picture ({type(error).__name__})") from error
    with picture:
        pixels = picture.width * picture.height
        if pixels > max_pixels:
            raise Damaged(f"has {pixels} pixels; at most {max_pixels} are taken")
        try:
            picture.load()
        except _BROKEN as error:
            raise Damaged(f"is cut off or damaged ({type(error).__name__})") from error
        yield picture


def thumbnail_of(picture: Image.Image) -> Thumbnail:
    """At most 512 pixels on the longer side, never enlarged."""
    small = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    small.thumbnail((THUMBNAIL_SIDE_PIXELS, THUMBNAIL_SIDE_PIXELS), Image.Resampling.LANCZOS, reducing_gap=3.0)
    target = io.BytesIO()
    small.save(target, "WEBP", quality=_WEBP_QUALITY, method=4)
    return Thumbnail(target.getvalue(), small.width, small.height)


def without_metadata(picture: Image.Image, kind: FileKind) -> bytes | None:
    """The picture upright and without what a camera noted (place, time, device); None if it notes nothing."""
    if not picture.getexif() and "xmp" not in picture.info:
        return None
    upright = ImageOps.exif_transpose(picture)
    target = io.BytesIO()
    clean = Image.new(upright.mode, upright.size)
    if (palette := upright.getpalette()) is not None:
        clean.putpalette(palette)
    clean.paste(upright)
    options = {"icc_profile": upright.info.get("icc_profile")}
    clean.save(target, kind.codec, **options, **({} if kind.codec == "PNG" else {"quality": _JPEG_QUALITY}))
    return target.getvalue()
