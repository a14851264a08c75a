"""Names of streams and things, derived rather than drawn, so that identical requests share one fate.

A caller's own ids (user, request, grant) may be any 1 to 128 of the characters below: they end up in stream
names, file names and URLs, so slashes, spaces and control characters are refused at the door.
"""

from __future__ import annotations

import re
import uuid

from service.domain.errors import InvalidField

_EXTERNAL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@=+-]{0,127}")
_ITEM_ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,2})")

# Fixed for ever: changing it would give every known request a new identity.
GENERATION_NAMESPACE = uuid.UUID("6f0b7a52-6a1f-5d0c-9a53-7a2b0c1e8d11")


def check_external_id(field: str, value: str) -> str:
    """Returns ``value`` or raises InvalidField: 1 to 128 letters, digits or ``_ . : @ = + -``."""
    if not value:
        raise InvalidField(field, "is missing; give 1 to 128 letters, digits or _ . : @ = + -")
    if not _EXTERNAL_ID.fullmatch(value):
        raise InvalidField(
            field,
            "must be 1 to 128 letters, digits or _ . : @ = + -, beginning with a letter or digit",
        )
    return value


def generation_id_for(user_id: str, request_id: str) -> str:
    """The generation that a caller's request names: the same pair, the same generation."""
    return str(uuid.uuid5(GENERATION_NAMESPACE, f"{len(user_id)}:{user_id}{request_id}"))


def imported_id(import_id: str) -> str:
    """What names a row of an older gallery in the place of a request's id."""
    return f"import:{import_id}"


def check_generation_id(value: str) -> str:
    """Returns the canonical form of a generation's id, or raises InvalidField."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise InvalidField("generation_id", "must be the UUID that RequestGeneration returned") from None


def item_id_for(generation_id: str, index: int) -> str:
    """The ``index``-th output (from 0) of a generation, as an item of the gallery."""
    return f"{generation_id}.{index}"


def split_item_id(item_id: str) -> tuple[str, int]:
    """``(generation_id, index)``, or InvalidField."""
    match = _ITEM_ID.fullmatch(item_id)
    if match is None:
        raise InvalidField("item_id", "must be an id that the gallery returned, such as '<uuid>.0'")
    return match.group(1), int(match.group(2))


def account_stream(user_id: str) -> str:
    return f"account-{user_id}"


def generation_stream(generation_id: str) -> str:
    return f"generation-{generation_id}"


def imports_stream(user_id: str) -> str:
    return f"imports-{user_id}"
