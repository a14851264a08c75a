"""Made-up histories: whole, right in every credit, the same for the same seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from service.adapters.eventstore.codec import EventCodec
from service.application.audit import Audit
from service.application.seeding.story import seeded_history
from service.domain.events import EVENT_TYPES
from service.ports.event_store import RecordedEvent
from service.ports.history_import import DatedEvent
from tests.support.samples import CATALOG

END = datetime(2026, 11, 25, tzinfo=UTC)
CODEC = EventCodec()


def story(events: int = 2000, seed: int = 1) -> Iterator[DatedEvent]:
    for batch in seeded_history(CATALOG, seed=seed, events=events, end=END):
        yield from batch


def fingerprint(history: Iterator[DatedEvent]) -> str:
    hashed = hashlib.sha256()
    for each in history:
        hashed.update(repr((each.stream, each.version, CODEC.encode(each.new), each.recorded_at)).encode())
    return hashed.hexdigest()


def test_same_seed_gives_the_same_history() -> None:
    assert fingerprint(story()) == fingerprint(story())
    assert fingerprint(story()) != fingerprint(story(seed=2))


def test_history_has_everything_in_it_and_adds_up() -> None:
    audit, types, last = Audit(), Counter[str](), datetime.min.replace(tzinfo=UTC)
    position = 0
    for each in story(events=30_000):
        position += 1
        assert last <= each.recorded_at <= END
        last = each.recorded_at
        types[type(each.new.event).__name__] += 1
        new = each.new
        recorded = RecordedEvent(position, each.stream, each.version, new.event_id, new.event, new.metadata, last)
        audit.see(recorded)
    assert types.keys() == EVENT_TYPES.keys() - {"ItemImported", "ImportListed"}, (
        "a seeded history has no older gallery"
    )
    assert 27_000 < position < 36_000
    assert audit.finish(now=END) == []
    assert types["GenerationSucceeded"] > 10 * types["GenerationFailed"] > 0


def test_use_grows_and_follows_the_hours() -> None:
    days, hours = Counter[int](), Counter[int]()
    for each in story(events=20_000):
        if type(each.new.event).__name__ == "GenerationRequested":
            days[(END - each.recorded_at).days // 7] += 1
            hours[each.recorded_at.hour] += 1
    assert days[0] > 2 * days[7] > 0
    assert hours[18] > 4 * hours[0]
