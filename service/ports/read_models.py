"""What can be read: rows of the projections, and the queries that API and application need.

Every query is of one moment. ``position`` in results is the place in the log up to which the projection that
answered had seen everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from service.domain.generation.events import StoredMedia


class ItemRow(msgspec.Struct, frozen=True, kw_only=True):
    """One picture or video of the gallery."""

    item_id: str
    generation_id: str
    user_id: str
    generation_type: str
    index: int
    model: str
    prompt: str
    """The user's own words."""
    improved_prompt: str
    """The words the vendor got; equal to ``prompt`` when they were not improved."""
    aspect_ratio: str
    seed: int | None
    credits: int
    media: StoredMedia
    thumbnail: StoredMedia
    favorite: bool
    trashed: bool
    create_time: datetime
    """When it was made; lists run newest first by this, and by ``create_position`` within one moment."""
    create_position: int
    """Position of the event that brought it into the gallery; no two items share one."""
    update_position: int
    """Position of the last event that changed the row."""
    imported: bool = False
    """Whether it came from an older gallery: at no price, and perhaps without words or model."""


GenerationStateName = Literal[
    "queued", "preparing", "submitting", "submitted", "cancelling", "succeeded", "failed", "cancelled"
]
ENDED_STATES: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


class GenerationRow(msgspec.Struct, frozen=True, kw_only=True):
    """How a generation stands."""

    generation_id: str
    user_id: str
    request_id: str
    generation_type: str
    model: str
    state: GenerationStateName
    prompt: str
    improved_prompt: str = ""
    """Empty until it is settled which words the vendor gets."""
    prompt_source: str = ""
    """``improved`` or ``own_words``; empty until settled."""
    own_words_reason: str = ""
    aspect_ratio: str
    output_count: int
    seed: int | None = None
    enhance_prompt: bool = True
    reference_media_id: str = ""
    credits_per_output: int
    credits_debited: int
    credits_refunded: int = 0
    """All that came back, by outcome and by hand."""
    delivered_count: int = 0
    failure_reason: str = ""
    failure_detail: str = ""
    cancel_refused_why: str = ""
    """Why the last wish to cancel came too late."""
    provider_request_id: str = ""
    queue_position: int | None = None
    """The vendor's last report; a passing thing."""
    log_line: str = ""
    create_time: datetime
    """When it was requested; lists run newest first by this, and by ``create_position`` within one moment."""
    create_position: int
    """Position of the event that it begins with; no two generations share one."""
    deadline_time: datetime
    end_time: datetime | None = None
    update_position: int
    imported: bool = False
    """Whether it stands for what an older gallery had made."""
    items: tuple[ItemRow, ...] = ()
    """Filled by ``generation``; empty in lists."""


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """A user's credits: ``balance`` is ``granted - debited + refunded``."""

    user_id: str
    balance: int
    granted: int
    debited: int
    refunded: int
    update_position: int


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the statement. ``amount`` is signed; ``balance_after`` is right after it."""

    user_id: str
    entry_number: int
    """From 1, without gaps, per account."""
    position: int
    kind: Literal["grant", "debit", "refund"]
    amount: int
    balance_after: int
    generation_id: str = ""
    generation_type: str = ""
    grant_id: str = ""
    cause: str = ""
    """Of a refund: failed, cancelled, undelivered, manual."""
    failure_reason: str = ""
    note: str = ""
    actor: str = ""
    create_time: datetime


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Keyset page boundaries are (create time, create position) pairs; tokens are the API's affair.

    Lists run newest first: the next page is the older one."""

    has_next: bool
    has_previous: bool
    position: int


class ItemFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of one user's gallery are meant."""

    user_id: str
    generation_type: str = ""
    """Empty: all types."""
    favorite_only: bool = False
    trashed: bool = False
    """False: what is not in the trash; True: the trash."""
    words: str = ""
    """Each of these words (any order, any case) begins a word of the prompt or of the improved prompt."""


class Cursor(msgspec.Struct, frozen=True):
    """A place between rows of a list ordered newest first, and which way to read on from it."""

    create_time: datetime
    """Timezone-aware."""
    create_position: int
    direction: Literal["older", "newer"] = "older"


class ItemPage(Page, frozen=True, kw_only=True):
    """A page of the gallery, and where the pages on both sides begin (None at an end)."""

    items: tuple[ItemRow, ...]
    older: Cursor | None
    newer: Cursor | None


class GenerationPage(Page, frozen=True, kw_only=True):
    """A page of a user's generations, and where the pages on both sides begin (None at an end)."""

    generations: tuple[GenerationRow, ...]
    older: Cursor | None
    newer: Cursor | None


class LedgerPage(Page, frozen=True, kw_only=True):
    """A page of the statement, newest entry first."""

    entries: tuple[LedgerRow, ...]
    next_entry_number: int
    """Where the next page begins (entries run newest first); 0 at the end."""


class TypeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of one type a user has."""

    generation_type: str
    count: int
    """Items that are not in the trash."""
    favorite_count: int
    """Favourites among them."""
    trashed_count: int


class ItemChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in their newest state; those with ``trashed`` set are tombstones to a watcher of what is not."""

    items: tuple[ItemRow, ...]
    position: int
    """Everything up to here is told; resume after it."""
    caught_up: bool


class GalleryQueries(Protocol):
    """Items, in pages, by type, and what changed of them."""

    async def list_items(self, where: ItemFilter, *, cursor: Cursor | None, limit: int) -> ItemPage:
        """Up to ``limit`` items on from ``cursor`` (None: from the newest)."""
        ...

    async def count_items(self, user_id: str) -> tuple[Sequence[TypeCount], int]:
        """``(counts, position)``."""
        ...

    async def item(self, user_id: str, item_id: str) -> tuple[ItemRow, int]:
        """``(row, position)``. Raises NotFound, also for another user's item."""
        ...

    async def changes(self, user_id: str, *, after: int, limit: int) -> ItemChanges:
        """Up to ``limit`` rows whose last change came after the position ``after``, oldest change first."""
        ...


class GenerationQueries(Protocol):
    """How generations stand."""

    async def generation(self, generation_id: str) -> tuple[GenerationRow, int]:
        """``(row with items, position)``. Raises NotFound."""
        ...

    async def list_generations(
        self, user_id: str, *, unfinished_only: bool, cursor: Cursor | None, limit: int
    ) -> GenerationPage:
        """Up to ``limit`` generations on from ``cursor`` (None: from the newest), without their items."""
        ...


class CreditQueries(Protocol):
    """Balances and statements."""

    async def account(self, user_id: str) -> tuple[AccountRow, int]:
        """``(row, position)``; an account nobody has written to is an empty one."""
        ...

    async def ledger(self, user_id: str, *, before_entry_number: int, limit: int) -> LedgerPage:
        """Newest first, entries with a number below ``before_entry_number`` (0: from the newest)."""
        ...


class PastQueries(Protocol):
    """The same questions, answered as they would have been when the log ended at a position."""

    def gallery(self, position: int) -> GalleryQueries:
        """Galleries as they were right after the event at ``position``."""
        ...

    def credits(self, position: int) -> CreditQueries:
        """Accounts and ledgers as they were right after the event at ``position``."""
        ...
