"""The projections' own folds over a run's log, in batches that are cut anywhere and sometimes lost.

A projector that dies before it commits loses its rows and its checkpoint together, and the next one begins where the
last commit left off, most likely with another batch. Rows are kept in memory here instead of in tables; what makes
them from events is the production code. In the end they are held against the audit and the domain's own states.
"""

from __future__ import annotations

import copy
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from service.application.audit import Audit
from service.domain.account import CreditsDebited
from service.domain.generation import events as e
from service.domain.generation.state import GENERATION, Generation
from service.domain.ids import generation_stream
from service.ports.event_store import RecordedEvent
from service.projections.credits import CREDITS, CreditsFold, DebitType, StoredAccount, StoredEntry
from service.projections.gallery import GALLERY, GalleryFold
from service.projections.gallery_rows import Marks, NewItem, place
from service.projections.generations import GENERATIONS, begin, change
from service.projections.generations_schema import StoredGeneration

MOST_EVENTS = 40
LOST = 0.3
"""The share of batches whose projector dies before the commit."""


class Tables:
    """What the read models hold after the last commit."""

    def __init__(self) -> None:
        self.accounts: dict[str, StoredAccount] = {}
        self.types: dict[str, str] = {}
        self.ledger: list[StoredEntry] = []
        self.generations: dict[str, StoredGeneration] = {}
        self.gallery = GalleryFold([], [])

    def apply(self, batch: Sequence[RecordedEvent]) -> None:
        """One transaction: every projection gets those of its types."""
        types = [DebitType(generation_id, name) for generation_id, name in self.types.items()]
        credits = CreditsFold(self.accounts.values(), types)
        for recorded in batch:
            event = recorded.event
            if isinstance(event, e.GenerationRequested):
                credits.types[event.generation_id] = event.asked.generation_type
            if recorded.type in CREDITS.event_types:
                credits.apply(recorded)
            if recorded.type in GENERATIONS.event_types:
                self._generation(recorded)
            if recorded.type in GALLERY.event_types:
                self.gallery.apply(recorded)
        credits.settle_types()
        self.accounts, self.types = credits.accounts, credits.types
        self.ledger += credits.entries

    def _generation(self, recorded: RecordedEvent) -> None:
        event = recorded.event
        if isinstance(event, e.GenerationRequested):
            self.generations[event.generation_id] = begin(recorded, event)
        elif not isinstance(event, CreditsDebited):
            change(self.generations[event.generation_id], recorded)  # type: ignore[union-attr]


def project(log: Sequence[RecordedEvent], source: random.Random) -> Tables:
    tables, done = Tables(), 0
    while done < len(log):
        batch = log[done : done + source.randint(1, MOST_EVENTS)]
        attempt = copy.deepcopy(tables)
        attempt.apply(batch)
        if source.random() >= LOST:
            tables, done = attempt, done + len(batch)
    return tables


def wrong_rows(log: Sequence[RecordedEvent]) -> Iterator[str]:
    """Plain sentences about rows that are not what the log says."""
    try:
        tables = project(log, random.Random(len(log)))
    except (LookupError, ValueError) as error:
        yield f"a projection stops at an event: {error!r}"
        return
    audit = Audit()
    states: dict[str, Generation] = defaultdict(Generation)
    for recorded in log:
        audit.see(recorded)
        states[recorded.stream] = GENERATION.evolve(states[recorded.stream], recorded.event)
    yield from _accounts(tables, audit)
    yield from _generations(tables, audit, states)
    yield from _gallery(tables, states)


def _accounts(tables: Tables, audit: Audit) -> Iterator[str]:
    shown = {user: (row.granted, row.debited, row.refunded, row.balance) for user, row in tables.accounts.items()}
    said = {user: (row.granted, row.debited, row.refunded, row.balance) for user, row in audit.accounts.items()}
    if shown != said:
        yield f"accounts show {shown}, and the log says {said}"
    entries: dict[str, list[StoredEntry]] = defaultdict(list)
    for entry in tables.ledger:
        entries[entry.user_id].append(entry)
    for user_id, rows in entries.items():
        balance = 0
        for number, row in enumerate(rows, 1):
            balance += row.amount
            if (row.entry_number, row.balance_after) != (number, balance):
                yield f"the statement of {user_id} does not add up at its row {number}"


def _generations(tables: Tables, audit: Audit, states: dict[str, Generation]) -> Iterator[str]:
    if tables.generations.keys() != audit.generations.keys():
        yield f"{len(tables.generations)} generations are shown, and the log has {len(audit.generations)}"
    for generation_id, row in tables.generations.items():
        known, state = audit.generations[generation_id], states[generation_stream(generation_id)]
        shown = (row.state, row.credits_debited, row.credits_refunded, row.delivered_count, len(row.outputs))
        refunded = known.refunded + known.refunded_by_hand
        said = (state.phase.value, known.debited, refunded, known.outputs, len(state.items))
        if state.ended and shown != said:
            yield f"generation {generation_id} is shown as {shown}, and the log says {said}"


def _gallery(tables: Tables, states: dict[str, Generation]) -> Iterator[str]:
    shown = {item_id: (row.favorite, row.trashed) for item_id, row in tables.gallery.items.items()}
    said = {item.item_id: (item.favorite, item.trashed) for state in states.values() for item in state.items}
    if shown != said:
        yield f"the gallery shows {sorted(shown)}, and the log says {sorted(said)}"
    rows: list[Marks] = list(tables.gallery.items.values())
    listed = sorted((row for row in rows if isinstance(row, NewItem)), key=place)
    if [row.create_position for row in listed] != sorted({row.create_position for row in listed}):
        yield "the gallery, by time, is not in the order in which its items were made"
    counted = Counter((row.user_id, row.generation_type) for row in rows if not row.trashed)
    if {key: change.count for key, change in tables.gallery.counts.items() if change.count} != dict(counted):
        yield f"the gallery counts {tables.gallery.counts}, and has {counted}"
