"""What calls answer with besides the things themselves: pages, changes, receipts, files. Frozen dataclasses, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from clients.sdk.models import Account, Generation, Item

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A page, newest first. A token is empty where there is no further page in that direction."""

    items: tuple[T, ...]
    next_page_token: str
    previous_page_token: str
    position: int

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChanges:
    """What is new in a gallery: put ``items`` in (or over what you have), take ``removed_item_ids`` out."""

    items: tuple[Item, ...]
    removed_item_ids: tuple[str, ...]
    position: int
    caught_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A generation that was asked for. ``created`` is False when this request_id had been sent before."""

    generation: Generation
    position: int
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """An account after a grant. ``created`` is False when this grant_id had been sent before."""

    account: Account
    position: int
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """An account after a refund by hand, and how many credits came back with it."""

    account: Account
    credits_refunded: int
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference picture that was uploaded; give ``media_id`` to requests as reference_media_id."""

    media_id: str
    content_type: str
    size_bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """About a file that is fetched. ``file_name`` is the service's proposal, with the right extension."""

    content_type: str
    size_bytes: int
    sha256: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that was fetched whole. ``path`` is None when it was written to a writer."""

    path: Path | None
    info: FileInfo
