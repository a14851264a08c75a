"""The Python SDK: typed clients of Triptych's API, asynchronous and synchronous with the same methods.

    from clients.sdk import Triptych

    with Triptych() as triptych:
        generation = triptych.generate("anna", "imagen4", "a red fox in the snow").require_success()
        triptych.download("anna", generation.items[0].item_id, "fox.png")

Results are frozen dataclasses (``models.py``, ``results.py``), failures are typed (``errors.py``), calls have
deadlines and are retried where that is safe (``retry.py``), and a client reads what it wrote (``rpc.py``).
``docs/sdk.md`` shows it all at work.
"""

from clients.sdk.asynchronous.client import AsyncTriptych
from clients.sdk.asynchronous.files import AsyncMediaStream
from clients.sdk.calls.gallery import ItemFilter
from clients.sdk.calls.generations import GenerationOptions
from clients.sdk.calls.history import ReplayFilter, WhatIf
from clients.sdk.calls.moments import Moment
from clients.sdk.enums import (
    FailureReason,
    GenerationState,
    LedgerEntryKind,
    MediaKind,
    OwnWordsReason,
    PromptSource,
    RefundCause,
)
from clients.sdk.errors import (
    AlreadyExists,
    AlreadyRefunded,
    Conflict,
    DamagedDownload,
    DeadlineExceeded,
    FailedPrecondition,
    InsufficientCredits,
    InternalError,
    InvalidArgument,
    InvalidOption,
    NotCancellable,
    NotDelivered,
    NotEnded,
    NotFound,
    NothingToRefund,
    ResourceExhausted,
    TriptychError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unreachable,
    Violation,
)
from clients.sdk.events import Event, EventBatch, EventType, to_dict
from clients.sdk.models import (
    Account,
    Catalog,
    Failure,
    Generation,
    GenerationType,
    Item,
    LedgerEntry,
    LocalizedText,
    Media,
    TypeCount,
)
from clients.sdk.options import ClientOptions
from clients.sdk.results import (
    Download,
    FileInfo,
    Granted,
    ItemChanges,
    Page,
    Reference,
    Refunded,
    Requested,
)
from clients.sdk.retry import RetryPolicy
from clients.sdk.simulation import (
    SimulatedDifference,
    SimulatedRefusal,
    SimulatedTotals,
    SimulatedUser,
    Simulation,
    SimulationStep,
)
from clients.sdk.synchronous.client import Triptych
from clients.sdk.synchronous.files import MediaStream

__all__ = [
    "Account",
    "AlreadyExists",
    "AlreadyRefunded",
    "AsyncMediaStream",
    "AsyncTriptych",
    "Catalog",
    "ClientOptions",
    "Conflict",
    "DamagedDownload",
    "DeadlineExceeded",
    "Download",
    "Event",
    "EventBatch",
    "EventType",
    "FailedPrecondition",
    "Failure",
    "FailureReason",
    "FileInfo",
    "Generation",
    "GenerationOptions",
    "GenerationState",
    "GenerationType",
    "Granted",
    "InsufficientCredits",
    "InternalError",
    "InvalidArgument",
    "InvalidOption",
    "Item",
    "ItemChanges",
    "ItemFilter",
    "LedgerEntry",
    "LedgerEntryKind",
    "LocalizedText",
    "Media",
    "MediaKind",
    "MediaStream",
    "Moment",
    "NotCancellable",
    "NotDelivered",
    "NotEnded",
    "NotFound",
    "NothingToRefund",
    "OwnWordsReason",
    "Page",
    "PromptSource",
    "Reference",
    "RefundCause",
    "Refunded",
    "ReplayFilter",
    "Requested",
    "ResourceExhausted",
    "RetryPolicy",
    "SimulatedDifference",
    "SimulatedRefusal",
    "SimulatedTotals",
    "SimulatedUser",
    "Simulation",
    "SimulationStep",
    "Triptych",
    "TriptychError",
    "TypeCount",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unreachable",
    "Violation",
    "WhatIf",
    "to_dict",
]
