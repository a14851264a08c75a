"""Page tokens: opaque to callers, and good for one question only.

A token is base64url of: one byte of version, an eight-byte checksum, and the place to go on from as JSON. The
checksum also covers the question (whose list, which filters), so a token that is damaged, made up, or used with
another question is refused instead of answering with the wrong page. It is no secret: whoever could forge one may
read the list anyway. The page's size is no part of the question and may change from page to page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from service.domain.errors import InvalidField
from service.ports.read_models import Cursor

_VERSION = b"\x02"
_EARLIER_VERSIONS = (b"\x01",)
"""Places in lists that ran by position; such a place says nothing about the order of today."""
_CHECKSUM_BYTES = 8
_MAX_TOKEN_LENGTH = 512
_FIELD = "page_token"

P = TypeVar("P")
_Time = Annotated[datetime, msgspec.Meta(tz=True)]

Question = Sequence[str | bool | int]
"""The name of the list and everything that selects from it, in a fixed order."""


class EntryCursor(msgspec.Struct, frozen=True):
    """A place in a statement: before (older) or after (newer) an entry's number."""

    entry_number: int
    direction: Literal["older", "newer"] = "older"


def encode(place: Cursor | EntryCursor | None, question: Question) -> str:
    """The token for the page that begins at ``place``; empty for no place."""
    if place is None:
        return ""
    content = msgspec.json.encode(msgspec.structs.astuple(place))
    return base64.urlsafe_b64encode(_VERSION + _checksum(content, question) + content).rstrip(b"=").decode()


def decode_cursor(token: str, question: Question) -> Cursor | None:
    """The place in a list of items or generations; None for no token. Raises InvalidField."""
    content = _content(token, question)
    if content is None:
        return None
    return Cursor(*_parse(content, tuple[_Time, int, Literal["older", "newer"]]))


def decode_entry_cursor(token: str, question: Question) -> EntryCursor | None:
    """The place in a statement; None for no token. Raises InvalidField."""
    content = _content(token, question)
    if content is None:
        return None
    entry_number, direction = _parse(content, tuple[int, Literal["older", "newer"]])
    return EntryCursor(entry_number, direction)


def _content(token: str, question: Question) -> bytes | None:
    if not token:
        return None
    if len(token) > _MAX_TOKEN_LENGTH:
        raise _bad("is longer than any token this service gives out")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _bad("is not a token that this service gave out") from None
    version, checksum, content = raw[:1], raw[1 : 1 + _CHECKSUM_BYTES], raw[1 + _CHECKSUM_BYTES :]
    if version in _EARLIER_VERSIONS:
        raise _bad("was given out by an earlier version of this service")
    if version != _VERSION:
        raise _bad("is of a version that this service does not know")
    if checksum != _checksum(content, question):
        raise _bad("is damaged, or belongs to another user or other filters")
    return content


def _parse(content: bytes, shape: type[P]) -> P:
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.DecodeError:
        raise _bad("is not a token of this list") from None


def _bad(problem: str) -> InvalidField:
    return InvalidField(_FIELD, f"{problem}; begin again without one")


def _checksum(content: bytes, question: Question) -> bytes:
    hashed = hashlib.blake2b(digest_size=_CHECKSUM_BYTES, person=b"triptych-page")
    hashed.update(msgspec.json.encode(list(question)))
    hashed.update(b"\0")
    hashed.update(content)
    return hashed.digest()
