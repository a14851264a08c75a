"""fal's webhooks: proven, then read.

Four headers come with a delivery: ``X-Fal-Webhook-Request-Id``, ``-User-Id``, ``-Timestamp`` (unix seconds) and
``-Signature`` (hex). Signed with Ed25519 are the first three and the sha256 of the body in hex, joined by newlines.

fal signs for all of its customers with the same keys, so a genuine signature says that fal sent these bytes and not
that they are about a request of ours: that, the address they were sent to must prove.

In the body, ``request_id`` is the one that the queue knows; ``gateway_request_id`` differs from it when fal itself
tried again, and names that try. Nobody can be asked about a try, so only the first is kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.adapters.providers.fal_webhook_keys import FalWebhookKeys
from service.ports.clock import Clock
from service.ports.webhook_verifier import NotGenuine, Report, Unreadable

TOLERANCE = timedelta(seconds=300)
"""How far fal's clock and ours may be apart, delivery included."""

_SIGNATURE = re.compile(r"[0-9A-Fa-f]{128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")


class _Body(msgspec.Struct):
    request_id: str
    status: Literal["OK", "ERROR"]
    gateway_request_id: str | None = None


_read = msgspec.json.Decoder(_Body)


class FalWebhookVerifier:
    """``service.ports.webhook_verifier.WebhookVerifier`` for fal."""

    def __init__(self, keys: FalWebhookKeys, *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def verify(self, headers: Mapping[str, str], body: bytes) -> Report:
        request_id = _header(headers, "request-id")
        user_id = _header(headers, "user-id")
        timestamp = _header(headers, "timestamp")
        signature = _header(headers, "signature")
        self._check_age(timestamp)
        if not _SIGNATURE.fullmatch(signature):
            raise NotGenuine("X-Fal-Webhook-Signature: must be an Ed25519 signature in 128 hexadecimal digits.")
        message = "\n".join((request_id, user_id, timestamp, hashlib.sha256(body).hexdigest())).encode()
        await self._check_signature(bytes.fromhex(signature), message)
        return _report(body)

    def _check_age(self, timestamp: str) -> None:
        if not _TIMESTAMP.fullmatch(timestamp):
            raise NotGenuine("X-Fal-Webhook-Timestamp: must be a time in unix seconds.")
        away = abs(self._clock.now() - datetime.fromtimestamp(int(timestamp), UTC))
        if away > TOLERANCE:
            raise NotGenuine(
                f"X-Fal-Webhook-Timestamp: is {away.total_seconds():.0f} seconds away from the present; "
                f"at most {TOLERANCE.total_seconds():.0f} are accepted."
            )

    async def _check_signature(self, signature: bytes, message: bytes) -> None:
        keys = await self._keys.current()
        if _fits(keys, signature, message):
            return
        newer = await self._keys.newer(keys)
        if newer is None or not _fits(newer, signature, message):
            raise NotGenuine("X-Fal-Webhook-Signature: is not fal's signature of these headers and this body.")


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(f"x-fal-webhook-{name}", "")
    if not value:
        raise NotGenuine(f"X-Fal-Webhook-{name.title()}: is missing; fal signs what it sends.")
    return value


def _fits(keys: Sequence[Ed25519PublicKey], signature: bytes, message: bytes) -> bool:
    for key in keys:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            continue
        return True
    return False


def _report(body: bytes) -> Report:
    try:
        content = _read.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"The body is not a report of fal's queue: {error}.") from error
    if not _REQUEST_ID.fullmatch(content.request_id):
        raise Unreadable(
            "The body is not a report of fal's queue: request_id must be an id of at most 200 characters."
        )
    return Report(content.request_id, content.status)
