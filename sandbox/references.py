"""The picture that ``image_url`` names: fetched or decoded, checked as the vendor checks it, kept small.

A model takes an http(s) url or a data URI. What can be wrong with it has a type each: ``file_download_error``,
``image_load_error``, ``image_too_small``, ``image_too_large``. What is kept is a reduced copy by the hash of the
original, so that the same person's hundred portraits keep one picture.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import warnings
from concurrent.futures import Executor
from ssl import SSLContext
from typing import Final
from urllib.parse import unquote_to_bytes

import httpx
from cachetools import LRUCache
from PIL import Image

from sandbox.background import in_executor
from sandbox.fal_errors import VendorRefusal, model_error

MAX_BYTES: Final = 20 * 1024 * 1024
MIN_SIDE: Final = 64
"""Pixels; smaller pictures are ``image_too_small``."""
MAX_SIDE: Final = 8192
_KEPT_SIDE: Final = 768
_KEPT_BYTES: Final = 64 * 1024 * 1024
_DOWNLOAD_SECONDS: Final = 20.0
_LOCATION: Final = ("body", "image_url")


class References:
    """Loads reference pictures and keeps reduced copies, at most 64 MiB of them."""

    def __init__(self, executor: Executor, trust: SSLContext) -> None:
        self._executor = executor
        self._trust = trust
        self._kept: LRUCache[str, bytes] = LRUCache(_KEPT_BYTES, getsizeof=len)

    async def load(self, image_url: str) -> str:
        """The SHA-256 (hex) under which ``get`` finds the reduced copy.

        Raises:
            VendorRefusal: it cannot be fetched, or is not a picture of a usable size.
        """
        original = _from_data_uri(image_url) if image_url.startswith("data:") else await self._download(image_url)
        digest = hashlib.sha256(original).hexdigest()
        if digest not in self._kept:
            self._kept[digest] = await in_executor(self._executor, _reduced, original, image_url)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The reduced copy (JPEG), or None if there never was one or it had to make room."""
        return self._kept.get(digest)

    async def _download(self, url: str) -> bytes:
        if not url.startswith(("http://", "https://")):
            raise _refused("file_download_error", url)
        body = bytearray()
        try:
            async with (
                httpx.AsyncClient(verify=self._trust, timeout=_DOWNLOAD_SECONDS, trust_env=False) as client,
                client.stream("GET", url, follow_redirects=True) as response,
            ):
                response.raise_for_status()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise _refused("image_too_large", url)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _refused("file_download_error", url) from error
        return bytes(body)


def _from_data_uri(uri: str) -> bytes:
    header, comma, data = uri.partition(",")
    if not comma:
        raise _refused("file_download_error", uri)
    try:
        content = base64.b64decode(data, validate=True) if header.endswith(";base64") else unquote_to_bytes(data)
    except (binascii.Error, ValueError) as error:
        raise _refused("file_download_error", uri) from error
    if len(content) > MAX_BYTES:
        raise _refused("image_too_large", uri)
    return content


def _reduced(original: bytes, url: str) -> bytes:
    try:
        with warnings.catch_warnings():
            # A picture of absurd size is refused below by its sides, before its pixels are read.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(original)) as picture:
                if min(picture.size) < MIN_SIDE:
                    raise _refused("image_too_small", url)
                if max(picture.size) > MAX_SIDE:
                    raise _refused("image_too_large", url)
                small = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _refused("image_load_error", url) from error
    small.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=90)
    return target.getvalue()


def _refused(error_type: str, url: str) -> VendorRefusal:
    return VendorRefusal(model_error(error_type, location=_LOCATION, given=url))
