"""The addresses to which the vendor reports: one for each generation, and only the vendor is told.

``{public_url}/webhooks/fal/{generation_id}/{code}``. The vendor signs for all its customers with the same keys, so
any of them could have it send us a genuine report, about a request of theirs. The code, which only we can compute,
says that a report was asked for by us, for this generation.
"""

from __future__ import annotations

import hashlib
import hmac

PATH = "/webhooks/fal/{generation_id}/{code}"
CODE_LENGTH = 32
"""Hexadecimal digits: 128 bits."""

# The secret may have other uses; what is derived from it here must be of no use there.
_PURPOSE = b"webhook address "


def webhook_url(public_url: str, secret: str, generation_id: str) -> str:
    """Where the vendor shall report about this generation. ``public_url`` has no slash at its end."""
    return public_url + PATH.format(generation_id=generation_id, code=code_for(secret, generation_id))


def code_for(secret: str, generation_id: str) -> str:
    """The code of this generation's address: 32 hexadecimal digits."""
    message = _PURPOSE + generation_id.encode(errors="replace")
    return hmac.digest(secret.encode(), message, hashlib.sha256).hex()[:CODE_LENGTH]


def is_code_of(secret: str, generation_id: str, code: str) -> bool:
    """Compares in a time that says nothing about where a wrong code goes wrong."""
    return hmac.compare_digest(code_for(secret, generation_id).encode(), code.encode(errors="replace"))
