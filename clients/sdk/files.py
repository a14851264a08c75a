"""Files on the caller's side: what is read for an upload, and what a download is written to.

A download to a path appears there whole or not at all: it is written beside it under another name, checked against
the size and hash that the service announced, and then moved into place.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import uuid
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

from clients.sdk.errors import DamagedDownload, InvalidArgument, Refusal, Violation
from clients.sdk.results import Download, FileInfo

MAX_UPLOAD_BYTES = 2**30
"""The most that any server may be set to accept."""


@runtime_checkable
class Writer(Protocol):
    """An open binary file, or anything else that takes bytes. The asynchronous client calls it in a thread."""

    def write(self, data: bytes, /) -> object: ...


Source: TypeAlias = "str | os.PathLike[str] | bytes"
Target: TypeAlias = "str | os.PathLike[str] | Writer"


def read_source(source: Source) -> bytes:
    """The bytes to upload. Raises OSError for a file that cannot be read, InvalidArgument for one that is huge."""
    if isinstance(source, bytes):
        return source
    path = Path(source)
    size_bytes = path.stat().st_size
    if size_bytes > MAX_UPLOAD_BYTES:
        description = f"has {size_bytes} bytes; a reference picture has at most {MAX_UPLOAD_BYTES}"
        raise InvalidArgument(
            Refusal(
                code="INVALID_ARGUMENT",
                reason="INVALID_FIELD",
                message=f"source: {path} {description}",
                violations=(Violation("source", description),),
            )
        )
    return path.read_bytes()


class Verifier:
    """Checks that what came is what was announced: all of it by its hash, a range of it by its size."""

    def __init__(self, info: FileInfo, *, offset: int = 0, limit: int | None = None) -> None:
        self._info = info
        rest = info.size_bytes - offset
        self._expected_bytes = rest if limit is None else min(limit, rest)
        self._size_bytes = 0
        self._hash = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        self._hash.update(chunk)

    def check(self) -> None:
        """To be called at the end. Raises DamagedDownload."""
        if self._size_bytes != self._expected_bytes:
            raise DamagedDownload(f"has {self._size_bytes} bytes of {self._expected_bytes}")
        if self._expected_bytes == self._info.size_bytes and self._hash.hexdigest() != self._info.sha256:
            raise DamagedDownload("does not have the announced SHA-256")


class Receiver:
    """Takes the parts of one download: a FileInfo begins it (again), bytes follow. Then ``finish`` or ``abort``."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._info: FileInfo | None = None
        self._verifier: Verifier | None = None
        self._part_path: Path | None = None
        self._file: BinaryIO | None = None

    @property
    def restartable(self) -> bool:
        """Whether a download that broke may begin again: what a writer has taken cannot be taken back."""
        return not isinstance(self._target, Writer)

    def accept(self, part: FileInfo | bytes) -> None:
        if isinstance(part, FileInfo):
            self._begin(part)
        elif self._verifier is None:
            raise DamagedDownload("began without a word about the file")
        else:
            self._verifier.add(part)
            writer = self._target if isinstance(self._target, Writer) else self._file
            assert writer is not None  # ``_begin`` has opened it.
            writer.write(part)

    def finish(self) -> Download:
        """Moves a file into place. Raises DamagedDownload."""
        if self._info is None or self._verifier is None:
            raise DamagedDownload("was empty")
        self._verifier.check()
        if self._file is None or self._part_path is None:
            return Download(path=None, info=self._info)
        self._file.close()
        path = self._path(self._info)
        self._part_path.replace(path)
        self._part_path = None
        return Download(path=path, info=self._info)

    def abort(self) -> None:
        """Leaves nothing behind; harmless after ``finish``."""
        if self._file is not None:
            self._file.close()
        if self._part_path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._part_path.unlink()

    def _begin(self, info: FileInfo) -> None:
        self._info, self._verifier = info, Verifier(info)
        if isinstance(self._target, Writer):
            return
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            return
        path = self._path(info)
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
        self._part_path = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:12]}.part")
        self._file = self._part_path.open("xb")

    def _path(self, info: FileInfo) -> Path:
        assert not isinstance(self._target, Writer)
        path = Path(self._target)
        if not path.is_dir():
            return path
        # A name from elsewhere never leads out of the folder.
        return path / (PurePosixPath(info.file_name.replace("\\", "/")).name or "download")
