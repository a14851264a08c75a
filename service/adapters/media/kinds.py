"""What a file is, by its first bytes. What a server or an uploader says it is counts for nothing."""

from __future__ import annotations

import codecs
from typing import Literal

import filetype  # type: ignore[import-untyped]
import msgspec

HEAD_BYTES = 8192
"""How much of a file's beginning is looked at; less only where the file is shorter."""


class FileKind(msgspec.Struct, frozen=True):
    """A kind of file that we keep. ``codec`` is its name in Pillow, or the demuxer's in FFmpeg."""

    kind: Literal["image", "video"]
    content_type: str
    extension: str
    codec: str


KINDS = {
    kind.content_type: kind
    for kind in (
        FileKind("image", "image/png", "png", "PNG"),
        FileKind("image", "image/jpeg", "jpg", "JPEG"),
        FileKind("image", "image/webp", "webp", "WEBP"),
        FileKind("video", "video/mp4", "mp4", "mp4"),
    )
}


def kind_of(head: bytes) -> FileKind | None:
    """The kind, None for all that we do not keep."""
    return KINDS.get(filetype.guess_mime(head) or "")


def looks_like(head: bytes) -> str:
    """A media type for a person to read: ``text/html``, ``application/pdf``, ``an empty file``."""
    if not head:
        return "an empty file"
    if (guessed := filetype.guess_mime(head)) is not None:
        return str(guessed)
    text = _text(head)
    if not text:
        return "unknown data"
    beginning = text.lstrip("\ufeff \t\r\n")[:500].lower()
    if beginning.startswith(("<!doctype html", "<html")):
        return "text/html"
    return "application/json" if beginning.startswith(("{", "[")) else "text/plain"


def _text(head: bytes) -> str:
    if b"\x00" in head:
        return ""
    try:
        # Incremental, because the end of the head may cut a character in two.
        return codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return ""
