"""What the log says of a past moment is what the read models said then, for every question."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence

import pytest
from psycopg import sql

from service.adapters.eventstore.memory import MemoryEventStore
from service.domain.errors import NotFound
from service.ports.event_store import RecordedEvent
from service.ports.read_models import CreditQueries, Cursor, GalleryQueries, ItemFilter, ItemPage, LedgerPage
from service.projections import builds
from service.projections.credits import CREDITS
from service.projections.gallery import GALLERY
from service.projections.past import LogPastQueries
from service.projections.projection import Projection
from tests.support.history import WORDS, History
from tests.support.log import read_all
from tests.support.read_models import ReadModels, running_read_models

PROJECTIONS = (GALLERY, CREDITS)
USERS = ["user-0", "user-1", "user-2", "nobody"]


class Growing:
    """Read models that have seen the log up to any position one likes, also in the middle of an append."""

    def __init__(self, models: ReadModels, log: Sequence[RecordedEvent]) -> None:
        self._models = models
        self._log = log
        self._position = 0

    async def grow_to(self, position: int) -> None:
        events = [each for each in self._log if self._position < each.position <= position]
        for projection in PROJECTIONS:
            await self._apply(projection, [each for each in events if each.type in projection.event_types], position)
        self._position = position

    async def _apply(self, projection: Projection, events: Sequence[RecordedEvent], position: int) -> None:
        async with self._models.pool.connection() as connection, connection.transaction():
            [build] = await builds.list_builds(connection, projection.name)
            await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(build.schema_name)))
            if events:
                await projection.apply(events, connection)
            await connection.execute(
                "UPDATE read.projections SET position = %s WHERE name = %s", (position, projection.name)
            )


@pytest.fixture
async def models(database: str) -> AsyncIterator[ReadModels]:
    store = MemoryEventStore()
    history = History(seed=21, users=3)
    await history.append_to(store, appends=250)
    await history.import_to(store, items=60, seed=23)
    await history.append_to(store, appends=250)
    async with running_read_models(database, store, projections=PROJECTIONS, with_host=False) as models:
        yield models


async def test_the_past_is_what_the_read_models_said_then(models: ReadModels) -> None:
    log = await read_all(models.store)
    chance = random.Random(22)
    growing = Growing(models, log)
    past = LogPastQueries(models.store)
    for position in [0, 1, *sorted(chance.sample(range(2, len(log)), k=10)), len(log)]:
        await growing.grow_to(position)
        for user in USERS:
            await same_statement(past.credits(position), models.credits, user)
            await same_gallery(past.gallery(position), models.gallery, user, chance)


async def same_statement(past: CreditQueries, present: CreditQueries, user: str) -> None:
    assert await past.account(user) == await present.account(user)
    before = 0
    while True:
        page: LedgerPage = await present.ledger(user, before_entry_number=before, limit=40)
        assert await past.ledger(user, before_entry_number=before, limit=40) == page
        before = page.next_entry_number
        if not page.has_next:
            break
    assert await past.ledger(user, before_entry_number=10**6, limit=3) == await present.ledger(
        user, before_entry_number=10**6, limit=3
    )


async def same_gallery(past: GalleryQueries, present: GalleryQueries, user: str, chance: random.Random) -> None:
    assert await past.count_items(user) == await present.count_items(user)
    where = ItemFilter(
        user_id=user,
        generation_type=chance.choice(["", "", "imagen4", "video"]),
        favorite_only=chance.random() < 0.3,
        trashed=chance.random() < 0.3,
        words=chance.choice(["", "", chance.choice(WORDS), f"{chance.choice(WORDS)[:2]} {chance.choice(WORDS)}"]),
    )
    for filter_ in (ItemFilter(user_id=user), where):
        await same_pages(past, present, filter_)
    changes = await present.changes(user, after=chance.randint(0, 500), limit=5)
    assert await past.changes(user, after=0, limit=1000) == await present.changes(user, after=0, limit=1000)
    for item in changes.items:
        assert await past.item(user, item.item_id) == await present.item(user, item.item_id)
    with pytest.raises(NotFound):
        await past.item(user, "no-such-item")


async def same_pages(past: GalleryQueries, present: GalleryQueries, where: ItemFilter) -> None:
    """Older and older, and from the last page back again."""
    cursor: Cursor | None = None
    page: ItemPage | None = None
    while page is None or page.older is not None:
        page = await present.list_items(where, cursor=cursor, limit=30)
        assert await past.list_items(where, cursor=cursor, limit=30) == page, where
        cursor = page.older
    while page.newer is not None:
        cursor = page.newer
        page = await present.list_items(where, cursor=cursor, limit=30)
        assert await past.list_items(where, cursor=cursor, limit=30) == page, where
