"""Is this really from the vendor? And if so, what does it say?

The bytes of a webhook are worth nothing until this port has taken them. What it refuses comes in two kinds, because
the vendor has to be told apart: a delivery that can never be believed, and one that should come again later.

WebhookRefused
├── NotGenuine       not signed by the vendor, or signed too long ago
└── Unreadable       signed by the vendor, but not a report that we know how to read
KeysUnavailable      nobody can tell now: the vendor's keys cannot be fetched
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec


class Report(msgspec.Struct, frozen=True):
    """What a genuine webhook says."""

    provider_request_id: str
    """The vendor's id of the request, the one its queue knows it by."""
    vendor_status: Literal["OK", "ERROR"]


class WebhookRefused(Exception):
    """A delivery that will not be believed however often it is sent. The message is a plain sentence."""


class NotGenuine(WebhookRefused):
    """It does not prove that the vendor sent it just now."""


class Unreadable(WebhookRefused):
    """The vendor did send it, but it is not a report."""


class KeysUnavailable(Exception):
    """The vendor's public keys cannot be fetched, so the signature cannot be checked. Ask for it again later."""


class WebhookVerifier(Protocol):
    """Knows the vendor's way of signing what it sends."""

    async def verify(self, headers: Mapping[str, str], body: bytes) -> Report:
        """What a delivery says, once its signature is proven over exactly these bytes.

        ``headers`` are looked up by lower-case name. Raises NotGenuine, Unreadable, KeysUnavailable.
        """
        ...
