"""Files that were sent, by their ids. A file that was sent once can be sent again by its ``file_id``.

An id belongs to this bot and to one kind of file; another kind cannot be made of it, except that what is a document
at heart (video, animation, document) keeps its own kind whatever it is sent as.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final, Literal

from sandbox.options import MEBIBYTE
from sandbox.telegram.errors import BotApiError, bad_request
from sandbox.telegram.inspection import Film, Picture, mime_type

Kind = Literal["photo", "video", "animation", "document"]
MAX_DOWNLOAD_BYTES: Final = 20 * MEBIBYTE
_MAX_KEPT_BYTES: Final = 512 * MEBIBYTE
_EXTENSIONS: Final = {"photo": ".jpg", "video": ".mp4", "animation": ".mp4", "document": ""}


@dataclass(frozen=True)
class StoredFile:
    """Bytes with their ids. ``path`` is what ``getFile`` says."""

    file_id: str
    file_unique_id: str
    path: str
    content: bytes

    def view(self) -> dict[str, Any]:
        return {"file_id": self.file_id, "file_unique_id": self.file_unique_id, "file_size": len(self.content)}


@dataclass(frozen=True)
class Size:
    """A picture in one size, in pixels."""

    file: StoredFile
    width: int
    height: int

    def view(self) -> dict[str, Any]:
        return {**self.file.view(), "width": self.width, "height": self.height}


@dataclass(frozen=True)
class Media:
    """What a message carries beside its words.

    Attributes:
        kind: what it is.
        file: the file itself; of a photo the largest size.
        sha256: of the bytes as they were uploaded, in hexadecimal.
        sizes: of a photo, smallest first.
        thumbnail: of anything else, if there is one.
        width, height: in pixels; 0 for a document.
        duration_seconds: of a video or an animation.
        name, mime_type: of anything but a photo.
        cover: of a video: the sizes of the picture that is shown before it plays.
    """

    kind: Kind
    file: StoredFile
    sha256: str
    sizes: tuple[Size, ...] = ()
    thumbnail: Size | None = None
    width: int = 0
    height: int = 0
    duration_seconds: int = 0
    name: str = ""
    mime_type: str = ""
    cover: tuple[Size, ...] = ()

    def view(self) -> dict[str, Any]:
        """The fields of a message that hold it."""
        if self.kind == "photo":
            return {"photo": [size.view() for size in self.sizes]}
        document = {**self.file.view(), "file_name": self.name, "mime_type": self.mime_type}
        if self.thumbnail is not None:
            document["thumbnail"] = self.thumbnail.view()
        moving = {**document, "width": self.width, "height": self.height, "duration": self.duration_seconds}
        if self.kind == "video":
            return {"video": moving | ({"cover": [size.view() for size in self.cover]} if self.cover else {})}
        return {"document": document} | ({"animation": moving} if self.kind == "animation" else {})


class FileStore:
    """All files of one server."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._files: dict[str, StoredFile] = {}
        self._paths: dict[str, StoredFile] = {}
        self._media: dict[str, Media] = {}
        self._bytes = 0

    def add_photo(self, sizes: list[Picture], uploaded: bytes) -> Media:
        """Keeps a photo; any of its sizes' ids stands for it."""
        kept = self.add_sizes(sizes)
        largest = kept[-1]
        media = Media("photo", largest.file, _sha256(uploaded), kept, None, largest.width, largest.height)
        for size in kept:
            self._media[size.file.file_id] = media
        return media

    def add_sizes(self, sizes: list[Picture]) -> tuple[Size, ...]:
        return tuple(Size(self._add(size.content, "photos", ".jpg"), size.width, size.height) for size in sizes)

    def add_film(self, kind: Kind, content: bytes, film: Film, name: str, picture: Picture | None) -> Media:
        """Keeps a video or an animation; ``picture`` is its thumbnail, the first frame if None."""
        media = self.add_document(content, name, picture or film.thumbnail, kind)
        measured = replace(media, width=film.width, height=film.height, duration_seconds=film.duration_seconds)
        return self.replace(measured)

    def add_document(
        self, content: bytes, name: str, picture: Picture | None = None, kind: Kind = "document"
    ) -> Media:
        file = self._add(content, f"{kind}s", PurePath(name).suffix or _EXTENSIONS[kind])
        small = None
        if picture is not None:
            small = Size(self._add(picture.content, "thumbnails", ".jpg"), picture.width, picture.height)
        name = PurePath(name).name or PurePath(file.path).name
        media = Media(kind, file, _sha256(content), (), small, name=name, mime_type=mime_type(content))
        return self.replace(media)

    def replace(self, media: Media) -> Media:
        """Remembers what is said of a file that is not a photo."""
        self._media[media.file.file_id] = media
        return media

    def media(self, file_id: str, wanted: Kind) -> Media:
        """A file that was sent before. Raises BotApiError if it is unknown or of a kind that does not fit."""
        media = self._media.get(file_id)
        if media is None and file_id.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        if media is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if (media.kind == "photo") != (wanted == "photo"):
            raise bad_request(f"can't use file of type {media.kind.title()} as {wanted.title()}")
        return media

    def file(self, file_id: str) -> StoredFile:
        """Raises BotApiError if there is none, or if bots may not download it."""
        file = self._files.get(file_id)
        if file is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if len(file.content) > MAX_DOWNLOAD_BYTES:
            raise bad_request("file is too big")
        return file

    def content(self, file_id: str) -> bytes | None:
        """A file's bytes however large it is, None if there is no such file."""
        file = self._files.get(file_id)
        return None if file is None else file.content

    def at(self, path: str) -> StoredFile | None:
        return self._paths.get(path)

    def _add(self, content: bytes, folder: str, extension: str) -> StoredFile:
        if self._bytes + len(content) > _MAX_KEPT_BYTES:
            raise BotApiError(500, "Internal Server Error: sandbox: it holds 512 MiB of files, start it anew")
        self._bytes += len(content)
        path = f"{folder}/file_{next(self._numbers)}{extension}"
        file = StoredFile(f"AgACAgI{secrets.token_urlsafe(40)}", f"AQAD{secrets.token_urlsafe(9)}", path, content)
        self._files[file.file_id] = self._paths[path] = file
        return file


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
