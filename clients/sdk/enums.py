"""The contract's enums as plain words.

Each is a ``StrEnum``: ``GenerationState.QUEUED == "queued"``, and it is written to JSON as that word. ``NONE`` stands
for what is not there (the contract's UNSPECIFIED); a value that is newer than this client arrives as ``UNKNOWN``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from google.protobuf.descriptor import EnumDescriptor

E = TypeVar("E", bound=StrEnum)


class GenerationState(StrEnum):
    """How far a generation is."""

    QUEUED = "queued"
    PREPARING = "preparing"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NONE = ""
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self in _ENDS


_ENDS = frozenset({GenerationState.SUCCEEDED, GenerationState.FAILED, GenerationState.CANCELLED})


class FailureReason(StrEnum):
    """Why a generation failed."""

    CONTENT_POLICY = "content_policy"
    INVALID_INPUT = "invalid_input"
    NO_OUTPUT = "no_output"
    VENDOR_UNAVAILABLE = "vendor_unavailable"
    TIMED_OUT = "timed_out"
    INTERNAL = "internal"
    NONE = ""
    UNKNOWN = "unknown"


class PromptSource(StrEnum):
    """Where the words that the vendor is given come from."""

    IMPROVED = "improved"
    OWN_WORDS = "own_words"
    NONE = ""
    UNKNOWN = "unknown"


class OwnWordsReason(StrEnum):
    """Why the user's own words were used: asked for, the improvement was away, or it would not rewrite them."""

    ASKED = "asked"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    NONE = ""
    UNKNOWN = "unknown"


class MediaKind(StrEnum):
    """What a file shows."""

    IMAGE = "image"
    VIDEO = "video"
    NONE = ""
    UNKNOWN = "unknown"


class LedgerEntryKind(StrEnum):
    """What moved credits."""

    GRANT = "grant"
    DEBIT = "debit"
    REFUND = "refund"
    NONE = ""
    UNKNOWN = "unknown"


class RefundCause(StrEnum):
    """Why credits came back."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDELIVERED = "undelivered"
    MANUAL = "manual"
    NONE = ""
    UNKNOWN = "unknown"


def enum_word(descriptor: EnumDescriptor, number: int) -> str:
    """The plain word for an enum's value: FAILURE_REASON_TIMED_OUT is "timed_out", UNSPECIFIED is "" ."""
    value = descriptor.values_by_number.get(number)
    if value is None:
        return "unknown"
    # Every name begins with the enum's own, which is that of the value 0 without UNSPECIFIED (buf insists on both).
    prefix = str(descriptor.values_by_number[0].name).removesuffix("UNSPECIFIED")
    word = str(value.name).removeprefix(prefix).lower()
    return "" if word == "unspecified" else word


def enum_value(kind: type[E], descriptor: EnumDescriptor, number: int) -> E:
    """``number`` as a member of ``kind``."""
    try:
        return kind(enum_word(descriptor, number))
    except ValueError:
        return kind("unknown")
