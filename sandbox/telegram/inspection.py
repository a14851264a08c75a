"""What a file really is: photos are opened and scaled, videos are opened and measured. Runs in threads.

Telegram trusts no announced type either: a photo that cannot be opened is refused, a video that is none becomes a
document.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import av
import filetype  # type: ignore[import-untyped]
from av.error import FFmpegError
from PIL import Image, ImageOps

from sandbox.options import MEBIBYTE
from sandbox.telegram.errors import bad_request

MAX_PHOTO_BYTES: Final = 10 * MEBIBYTE
MAX_THUMBNAIL_BYTES: Final = 200 * 1024
_MAX_PHOTO_SIDES: Final = 10_000
_MAX_PHOTO_RATIO: Final = 20
_LONGER_SIDES: Final = (90, 320, 800, 1280)
"""Of the sizes in which a photo is kept: s, m, x, y."""
_THUMBNAIL_SIDE: Final = 320
_JPEG_QUALITY: Final = 87
_UNREADABLE: Final = (OSError, SyntaxError, ValueError)
"""What Pillow raises for files that are no pictures, or broken ones."""
_TOO_MANY_PIXELS: Final = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """A JPEG file. Sides in pixels."""

    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class Film:
    """What a video file says of itself, and its first frame."""

    width: int
    height: int
    duration_seconds: int
    has_sound: bool
    thumbnail: Picture


def photo_sizes(content: bytes) -> list[Picture]:
    """The sizes of a photo, smallest first. Raises BotApiError if it is no photo that Telegram takes.

    A JPEG that need not be made smaller stays as it is, so that a test knows it again; Telegram compresses all anew.
    """
    if len(content) > MAX_PHOTO_BYTES:
        limit = f"the maximum size is {MAX_PHOTO_BYTES} bytes"
        raise bad_request(f"file of size {len(content)} bytes is too big for a photo; {limit}")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            if width + height > _MAX_PHOTO_SIDES or max(width, height) > _MAX_PHOTO_RATIO * min(width, height):
                raise bad_request("PHOTO_INVALID_DIMENSIONS")
            as_it_is = opened.format == "JPEG" and max(width, height) <= _LONGER_SIDES[-1]
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except _TOO_MANY_PIXELS as error:
        raise bad_request("PHOTO_INVALID_DIMENSIONS") from error
    except _UNREADABLE as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    smaller = [side for side in _LONGER_SIDES[:-1] if side < max(picture.size)]
    sizes = [_scaled(picture, side) for side in smaller]
    largest = Picture(*picture.size, content) if as_it_is else _scaled(picture, _LONGER_SIDES[-1])
    return [*sizes, largest]


def thumbnail(content: bytes) -> Picture:
    """A thumbnail that a bot sent along. Raises BotApiError if Telegram would not show it."""
    if len(content) > MAX_THUMBNAIL_BYTES:
        raise bad_request(f"file of size {len(content)} bytes is too big for a thumbnail")
    try:
        with Image.open(io.BytesIO(content)) as opened:
            picture = Picture(*opened.size, content)
            is_jpeg = opened.format == "JPEG"
    except (*_UNREADABLE, *_TOO_MANY_PIXELS) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    if not is_jpeg or max(picture.width, picture.height) > _THUMBNAIL_SIDE:
        raise bad_request(f"sandbox: a thumbnail must be a JPEG of at most {_THUMBNAIL_SIDE} pixels a side")
    return picture


def film(content: bytes) -> Film | None:
    """What an MPEG-4 video is like; None if it is none."""
    if mime_type(content) not in ("video/mp4", "video/x-m4v", "video/quicktime"):
        return None
    try:
        with av.open(io.BytesIO(content), mode="r") as container:
            if not container.streams.video:
                return None
            stream = container.streams.video[0]
            frame: Image.Image = next(container.decode(stream)).to_image()  # type: ignore[no-untyped-call]
            seconds = (container.duration or 0) / av.time_base
            has_sound = bool(container.streams.audio)
    except (FFmpegError, StopIteration):
        return None
    return Film(frame.width, frame.height, round(seconds), has_sound, _scaled(frame, _THUMBNAIL_SIDE))


def mime_type(content: bytes) -> str:
    """The type that the first bytes show, ``application/octet-stream`` if they show none."""
    return filetype.guess_mime(content) or "application/octet-stream"


def _scaled(picture: Image.Image, longer_side: int) -> Picture:
    scaled = picture.copy()
    scaled.thumbnail((longer_side, longer_side))
    written = io.BytesIO()
    scaled.save(written, "JPEG", quality=_JPEG_QUALITY)
    return Picture(scaled.width, scaled.height, written.getvalue())
