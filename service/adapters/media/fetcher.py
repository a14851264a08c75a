"""Fetching a vendor's file: streamed, bounded in bytes and in time, hashed on the way.

What is surely wrong for good (not a file that we keep, too large, an address that is not to be asked) raises
MediaRejected as soon as it is known, mostly before the body is read. What may be better next time (no connection, an
error code, a body that ends early) raises MediaUnavailable. Announced sizes are used to refuse early and never
trusted.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import tempfile
from concurrent.futures import Executor
from pathlib import Path
from typing import IO

import httpx
import msgspec

from service.adapters.media import addresses
from service.adapters.media.kinds import HEAD_BYTES, FileKind, kind_of, looks_like
from service.ports.media_store import MediaRejected, MediaUnavailable

_WRITE_BYTES = 2**20
_IN_MEMORY_BYTES = 8 * 2**20
_MOST_REDIRECTS = 5


class FetchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds."""

    max_bytes: int = 200 * 2**20
    connect_timeout_seconds: float = 10.0
    idle_timeout_seconds: float = 30.0
    """How long nothing may come."""
    total_timeout_seconds: float = 300.0
    allow_private_addresses: bool = False
    """For a sandbox, or where a proxy makes the connections and does the checking."""


class FetchedFile:
    """A verified kind of file with its bytes, in memory or in a temporary file that vanishes when it is closed, or
    with the process."""

    def __init__(self, scratch_dir: Path | None) -> None:
        folder = None if scratch_dir is None else str(scratch_dir)
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=folder)  # noqa: SIM115 (see close)
        self.size_bytes = 0
        self.kind: FileKind | None = None
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self._hash.update(content)
        self.size_bytes += len(content)

    def close(self) -> None:
        self.file.close()


class Fetcher:
    """Fetches over http(s). ``threads`` do the writing."""

    def __init__(
        self, *, tls: ssl.SSLContext, threads: Executor, limits: FetchLimits, scratch_dir: Path | None = None
    ) -> None:
        self._threads = threads
        self._limits = limits
        self._scratch_dir = scratch_dir
        self._http = httpx.AsyncClient(
            verify=tls,
            follow_redirects=False,
            timeout=httpx.Timeout(limits.idle_timeout_seconds, connect=limits.connect_timeout_seconds),
            # Sizes are compared with what is announced, which is the size of what travels.
            headers={"Accept": "image/*, video/*", "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fetch(self, url: str) -> FetchedFile:
        """The file, to be closed by the caller. Raises MediaRejected, MediaUnavailable."""
        fetched = FetchedFile(self._scratch_dir)
        try:
            async with asyncio.timeout(self._limits.total_timeout_seconds):
                await self._fetch(httpx.URL(url), fetched)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            fetched.close()
            raise self._translated(error) from error
        except BaseException:
            fetched.close()
            raise
        return fetched

    async def read_file(self, path: Path) -> FetchedFile:
        """The same of a file on this machine, to be closed by the caller. Raises MediaRejected, MediaUnavailable."""
        fetched = FetchedFile(self._scratch_dir)
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._read_file, path, fetched)
        except OSError as error:
            fetched.close()
            raise MediaUnavailable(f"it cannot be read ({error.strerror or error})") from error
        except BaseException:
            fetched.close()
            raise
        return fetched

    def _read_file(self, path: Path, fetched: FetchedFile) -> None:
        # Opening what is no plain file could wait for ever.
        if path.exists() and not path.is_file():
            raise MediaRejected("it is not a file")
        with path.open("rb") as file:
            fetched.kind = _checked_kind(bytearray(file.read(HEAD_BYTES)))
            file.seek(0)
            while content := file.read(_WRITE_BYTES):
                if fetched.size_bytes + len(content) > self._limits.max_bytes:
                    raise self._too_large("more is there")
                fetched.write(content)

    async def _fetch(self, url: httpx.URL, fetched: FetchedFile) -> None:
        for _ in range(_MOST_REDIRECTS + 1):
            addresses.check_url(url)
            if not self._limits.allow_private_addresses:
                await addresses.check_host(url)
            async with self._http.stream("GET", url) as response:
                if not self._limits.allow_private_addresses:
                    addresses.check_peer(response)
                if not response.has_redirect_location:
                    await self._receive(response, fetched)
                    return
                url = url.join(response.headers["location"])
        raise MediaRejected(f"its url leads on more than {_MOST_REDIRECTS} times")

    async def _receive(self, response: httpx.Response, fetched: FetchedFile) -> None:
        if response.status_code != 200:
            raise MediaUnavailable(f"the server answered {response.status_code}")
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limits.max_bytes:
            raise self._too_large(f"{int(announced)} bytes are announced")
        waiting = bytearray()
        received = 0
        async for chunk in response.aiter_bytes():
            waiting += chunk
            received += len(chunk)
            if received > self._limits.max_bytes:
                raise self._too_large("more is sent")
            if fetched.kind is None and len(waiting) >= HEAD_BYTES:
                fetched.kind = _checked_kind(waiting)
            if len(waiting) >= _WRITE_BYTES:
                await self._write(fetched, waiting)
                waiting = bytearray()
        if not received:
            raise MediaUnavailable("the server sent an empty file")
        fetched.kind = fetched.kind or _checked_kind(waiting)
        await self._write(fetched, waiting)

    async def _write(self, fetched: FetchedFile, content: bytearray) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, fetched.write, bytes(content))

    def _too_large(self, why: str) -> MediaRejected:
        return MediaRejected(f"it is larger than {self._limits.max_bytes} bytes ({why})")

    def _translated(self, error: Exception) -> MediaRejected | MediaUnavailable:
        match error:
            case TimeoutError():
                return MediaUnavailable(f"it did not come within {self._limits.total_timeout_seconds:g} s")
            case httpx.InvalidURL() | UnicodeError():
                return MediaRejected("its url is not a url")
            case httpx.HTTPError():
                return MediaUnavailable(f"it could not be fetched ({type(error).__name__}: {error})")
            case _:
                return MediaUnavailable(f"it could not be written to a temporary file ({error})")


def _checked_kind(beginning: bytearray) -> FileKind:
    head = bytes(beginning[:HEAD_BYTES])
    kind = kind_of(head)
    if kind is None:
        raise MediaRejected(f"it is neither a picture nor a video that we know: it looks like {looks_like(head)}")
    return kind
