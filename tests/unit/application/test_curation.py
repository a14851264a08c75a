"""What a user does with an item, through the store: repeated without effect, and only to one's own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.curation import Curation
from service.application.execute import Context, Executor
from service.domain.errors import InvalidField, NotFound
from service.domain.generation import curation
from service.domain.ids import generation_stream, item_id_for
from service.ports.event_store import NewEvent, StreamWrite
from tests.support import samples
from tests.support.samples import GENERATION_ID, OTHER_USER, USER

ITEM = item_id_for(GENERATION_ID, 0)
STREAM = generation_stream(GENERATION_ID)
HISTORY = (samples.requested(), samples.image(0), samples.succeeded(1))


@pytest.fixture
async def store() -> MemoryEventStore:
    store = MemoryEventStore()
    await store.append([StreamWrite(STREAM, 0, tuple(NewEvent(uuid4(), event) for event in HISTORY))])
    return store


async def apply(
    store: MemoryEventStore, decision: curation.ItemDecision, *, user_id: str = USER, item_id: str = ITEM
) -> bool:
    outcome = await Curation(Executor(store)).apply(
        decision, user_id=user_id, item_id=item_id, context=Context(actor="bot")
    )
    return outcome.changed


async def test_each_decision_is_recorded_once(store: MemoryEventStore) -> None:
    for decision in (curation.favorite, curation.unfavorite, curation.trash, curation.restore):
        assert await apply(store, decision)
        assert not await apply(store, decision)
    recorded = (await store.read_stream(STREAM))[len(HISTORY) :]
    assert [each.type for each in recorded] == ["ItemFavorited", "ItemUnfavorited", "ItemTrashed", "ItemRestored"]
    assert {(each.metadata.actor, each.metadata.correlation_id) for each in recorded} == {("bot", GENERATION_ID)}


@pytest.mark.parametrize(
    "changes", [{"user_id": OTHER_USER}, {"item_id": item_id_for(GENERATION_ID, 1)}, {"item_id": f"{uuid4()}.0"}]
)
async def test_what_is_not_there_for_this_user(store: MemoryEventStore, changes: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        await apply(store, curation.trash, **changes)
    assert await store.head() == len(HISTORY)


@pytest.mark.parametrize(("field", "value"), [("item_id", "a/b"), ("item_id", ""), ("user_id", "a b")])
async def test_ids_that_cannot_be_right(store: MemoryEventStore, field: str, value: str) -> None:
    with pytest.raises(InvalidField) as caught:
        await apply(store, curation.trash, **{field: value})
    assert caught.value.field == field
