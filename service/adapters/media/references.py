"""Reference pictures that users upload: what is accepted, and what of it is kept.

A phone notes place, time and orientation in its pictures. The orientation is applied, because vendors do not; the
rest is removed before the picture is kept, because it goes to a vendor.
"""

from __future__ import annotations

import hashlib
import io

import msgspec

from service.adapters.media.kinds import HEAD_BYTES, kind_of, looks_like
from service.adapters.media.pictures import Damaged, opened_picture, without_metadata
from service.domain.errors import InvalidField
from service.ports.media_store import ReferenceMedia

_FORMATS = "send a PNG, JPEG or WebP picture"


class ReferenceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes and pixels."""

    max_bytes: int = 10 * 2**20
    max_pixels: int = 40_000_000
    min_side_pixels: int = 64


def checked_reference(content: bytes, limits: ReferenceLimits) -> tuple[bytes, ReferenceMedia]:
    """``(what is kept, what is known of it)``. Raises InvalidField("content", ...). Busy; for a thread."""
    if not content:
        raise InvalidField("content", f"is empty; {_FORMATS}")
    if len(content) > limits.max_bytes:
        raise InvalidField("content", f"has {len(content)} bytes; at most {limits.max_bytes} are possible")
    kind = kind_of(content[:HEAD_BYTES])
    if kind is None or kind.kind != "image":
        raise InvalidField(
            "content", f"is not a picture: it looks like {looks_like(content[:HEAD_BYTES])}; {_FORMATS}"
        )
    try:
        with opened_picture(io.BytesIO(content), max_pixels=limits.max_pixels) as picture:
            if min(picture.size) < limits.min_side_pixels:
                least = limits.min_side_pixels
                raise InvalidField(
                    "content", f"is {picture.width} x {picture.height} pixels; each side must have at least {least}"
                )
            cleaned = without_metadata(picture, kind)
            width, height = picture.size
    except Damaged as error:
        raise InvalidField("content", f"{error}; {_FORMATS}") from error
    kept = content
    if cleaned is not None:
        kept = cleaned
        with opened_picture(io.BytesIO(cleaned), max_pixels=limits.max_pixels) as upright:
            width, height = upright.size
    return kept, ReferenceMedia(
        media_id=hashlib.sha256(content).hexdigest()[:32],
        content_type=kind.content_type,
        size_bytes=len(kept),
        width=width,
        height=height,
    )
