"""The public keys with which fal signs its webhooks.

Fetched as a JWKS when first needed and kept for at most 24 hours, which is what fal asks for. A signature that fits
no key may mean that fal has a new one, so the set is fetched again then, but seldom: whoever sends us nonsense must
not be able to make us call fal for each piece of it. All callers share one fetch.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.ports.clock import Clock
from service.ports.webhook_verifier import KeysUnavailable

log = structlog.get_logger(__name__)

MAX_AGE = timedelta(hours=24)
REFRESH_PAUSE = timedelta(seconds=60)
"""Between fetches that only a signature without a key has asked for."""
RETRY_PAUSE = timedelta(seconds=5)
"""After a fetch that failed, while there are no keys at all."""
MAX_SET_BYTES = 64 * 1024
MAX_KEYS = 32


class _Key(msgspec.Struct):
    kty: str = "OKP"
    crv: str = "Ed25519"
    x: str = ""


class _KeySet(msgspec.Struct):
    keys: list[_Key]


class FalWebhookKeys:
    """Close it with ``aclose``."""

    def __init__(self, url: str, *, tls: ssl.SSLContext, clock: Clock, timeout_seconds: float = 5.0) -> None:
        self._url = url
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(verify=tls, timeout=timeout_seconds, follow_redirects=False)
        self._fetching = asyncio.Lock()
        self._keys: Sequence[Ed25519PublicKey] = ()
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._problem = ""

    async def aclose(self) -> None:
        await self._client.aclose()

    async def current(self) -> Sequence[Ed25519PublicKey]:
        """The keys, at most 24 hours old. Raises KeysUnavailable."""
        async with self._fetching:
            if self._fetched_at is None or self._clock.now() - self._fetched_at >= MAX_AGE:
                if self._problem and self._tried_within(RETRY_PAUSE):
                    raise KeysUnavailable(self._problem)
                await self._fetch()
            return self._keys

    async def newer(self, than: Sequence[Ed25519PublicKey]) -> Sequence[Ed25519PublicKey] | None:
        """The keys fetched anew, because none of ``than`` fits; None if it is too soon to ask fal again.

        Raises KeysUnavailable.
        """
        async with self._fetching:
            if self._keys is not than:
                return self._keys
            if self._tried_within(REFRESH_PAUSE):
                if self._problem:
                    raise KeysUnavailable(self._problem)
                return None
            await self._fetch()
            return self._keys

    def _tried_within(self, pause: timedelta) -> bool:
        return self._tried_at is not None and self._clock.now() - self._tried_at < pause

    async def _fetch(self) -> None:
        self._tried_at = self._clock.now()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                keys = _parse(await self._download())
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            self._problem = f"the keys at {self._url} cannot be had: {type(error).__name__}: {error}".rstrip(": ")
            log.warning("webhook_keys_unavailable", url=self._url, error=self._problem)
            raise KeysUnavailable(self._problem) from error
        self._keys, self._fetched_at, self._problem = keys, self._tried_at, ""
        log.info("webhook_keys_fetched", url=self._url, keys=len(keys))

    async def _download(self) -> bytes:
        async with self._client.stream("GET", self._url) as answer:
            answer.raise_for_status()
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_SET_BYTES:
                    raise ValueError(f"the key set has more than {MAX_SET_BYTES} bytes")
            return content


def _parse(content: bytes) -> Sequence[Ed25519PublicKey]:
    """The Ed25519 keys of a JWKS. Raises ValueError when there are none."""
    key_set = msgspec.json.decode(content, type=_KeySet)
    keys = [key for each in key_set.keys[:MAX_KEYS] if (key := _public_key(each)) is not None]
    if not keys:
        raise ValueError("the key set has no Ed25519 key")
    return keys


def _public_key(key: _Key) -> Ed25519PublicKey | None:
    if (key.kty, key.crv) != ("OKP", "Ed25519"):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key.x + "=" * (-len(key.x) % 4)))
    except (ValueError, binascii.Error):
        # Of another length or kind: the set may well have others.
        return None
