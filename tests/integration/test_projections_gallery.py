"""The gallery over a real database: given events, then these rows, pages, counts, matches and changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.domain.decider import DomainEvent
from service.domain.errors import NotFound
from service.domain.generation import events as e
from service.ports.read_models import Cursor, ItemFilter, ItemRow
from service.projections.gallery import GALLERY
from tests.support.appending import append
from tests.support.history import History
from tests.support.read_models import ReadModels, running_read_models
from tests.support.samples import (
    GENERATION_ID,
    NOW,
    OTHER_USER,
    USER,
    debited,
    enhanced,
    image,
    imported,
    moderated,
    older_item,
    requested,
    submission_started,
    submitted,
    succeeded,
)

ITEM = f"{GENERATION_ID}.0"


@pytest.fixture
async def models(database: str) -> AsyncIterator[ReadModels]:
    async with running_read_models(database, MemoryEventStore(now=lambda: NOW), projections=[GALLERY]) as models:
        yield models


async def delivered(models: ReadModels, count: int = 2) -> int:
    await append(models.store, debited(), requested())
    await append(models.store, moderated(), enhanced("a red fox, dawn light on snow"))
    await append(models.store, submission_started(), submitted())
    position = await append(models.store, *(image(index) for index in range(count)), succeeded(count))
    await models.caught_up(["gallery"])
    return position


async def happened(models: ReadModels, *events: DomainEvent) -> int:
    position = await append(models.store, *events)
    await models.caught_up(["gallery"])
    return position


async def all_of(models: ReadModels, where: ItemFilter) -> list[ItemRow]:
    page = await models.gallery.list_items(where, cursor=None, limit=1000)
    return list(page.items)


async def test_a_produced_picture_is_an_item_with_its_generations_words_and_price(models: ReadModels) -> None:
    position = await delivered(models)
    item, seen = await models.gallery.item(USER, ITEM)
    assert item == ItemRow(
        item_id=ITEM,
        generation_id=GENERATION_ID,
        user_id=USER,
        generation_type="imagen4",
        index=0,
        model="fal-ai/imagen4/preview",
        prompt="a red fox in the snow",
        improved_prompt="a red fox, dawn light on snow",
        aspect_ratio="1:1",
        seed=None,
        credits=5,
        media=image(0).media,
        thumbnail=image(0).thumbnail,
        favorite=False,
        trashed=False,
        create_time=NOW,
        create_position=position - 2,
        update_position=position - 2,
    )
    assert seen == position


async def test_an_item_of_an_older_gallery_stands_where_its_time_is(models: ReadModels) -> None:
    await delivered(models, count=1)
    old, older = imported(), imported(older_item(import_id="old-2", created_at=NOW - timedelta(days=1000)))
    await happened(models, *old, *older)
    rows = await all_of(models, ItemFilter(user_id=USER))
    assert [row.item_id for row in rows] == [ITEM, old[1].item_id, older[1].item_id]
    first = rows[1]
    assert (first.generation_type, first.prompt, first.improved_prompt) == ("avatar", "a red fox", "a red fox")
    assert (first.model, first.credits, first.imported, first.create_time) == ("flux", 0, True, old[1].created_at)
    assert not rows[0].imported
    assert await counts(models) == {"imagen4": (1, 0, 0), "avatar": (2, 0, 0)}
    assert [row.item_id for row in await all_of(models, ItemFilter(user_id=USER, words="red"))] == [
        row.item_id for row in rows
    ]
    await happened(models, e.ItemTrashed(generation_id=first.generation_id, item_id=first.item_id))
    assert await counts(models) == {"imagen4": (1, 0, 0), "avatar": (1, 0, 1)}


async def test_galleries_are_read_while_a_build_without_the_new_columns_serves(models: ReadModels) -> None:
    """As in the minutes after a service was brought to this version."""
    await delivered(models)
    before = await all_of(models, ItemFilter(user_id=USER, words="fox"))
    [(names,)] = await models.fetch(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE table_schema = 'rm_gallery_1' AND table_name = 'gallery_items' AND column_name <> 'imported'"
    )
    async with models.pool.connection() as connection, connection.transaction():
        await connection.execute("DROP VIEW read.gallery_items")
        await connection.execute(f"CREATE VIEW read.gallery_items AS SELECT {names} FROM rm_gallery_1.gallery_items")
    assert await all_of(models, ItemFilter(user_id=USER, words="fox")) == before
    assert len(before) == 2


async def test_marks_move_items_between_the_lists_and_counts(models: ReadModels) -> None:
    await delivered(models)
    marks = {"generation_id": GENERATION_ID, "item_id": ITEM}
    await happened(models, e.ItemFavorited(**marks))
    assert [each.item_id for each in await all_of(models, ItemFilter(user_id=USER, favorite_only=True))] == [ITEM]
    assert await counts(models) == {"imagen4": (2, 1, 0)}
    await happened(models, e.ItemTrashed(**marks))
    assert [each.item_id for each in await all_of(models, ItemFilter(user_id=USER, trashed=True))] == [ITEM]
    assert [each.item_id for each in await all_of(models, ItemFilter(user_id=USER))] == [f"{GENERATION_ID}.1"]
    assert await counts(models) == {"imagen4": (1, 0, 1)}
    position = await happened(models, e.ItemRestored(**marks), e.ItemUnfavorited(**marks))
    assert await counts(models) == {"imagen4": (2, 0, 0)}
    item, _ = await models.gallery.item(USER, ITEM)
    assert (item.favorite, item.trashed, item.update_position) == (False, False, position)


async def counts(models: ReadModels, user: str = USER) -> dict[str, tuple[int, int, int]]:
    found, _ = await models.gallery.count_items(user)
    return {each.generation_type: (each.count, each.favorite_count, each.trashed_count) for each in found}


async def test_the_items_of_others_are_not_found(models: ReadModels) -> None:
    await delivered(models)
    with pytest.raises(NotFound):
        await models.gallery.item(OTHER_USER, ITEM)
    with pytest.raises(NotFound):
        await models.gallery.item(USER, f"{GENERATION_ID}.3")
    assert await all_of(models, ItemFilter(user_id=OTHER_USER)) == []
    assert await counts(models, OTHER_USER) == {}


async def test_words_are_found_in_either_prompt_in_any_order_and_case(models: ReadModels) -> None:
    await delivered(models, count=1)

    async def finds(words: str, user: str = USER) -> bool:
        return bool(await all_of(models, ItemFilter(user_id=user, words=words)))

    for words in ("fox", "SNOW Red", "dawn", "light fo", "  ", "snow, fox!"):
        assert await finds(words), words
    for words in ("cat", "fox cat", "ox", "red-haired", "' & !fox | 'x", "fox:*|cat"):
        assert not await finds(words), words
    assert not await finds("fox", OTHER_USER)


async def test_russian_words_are_found_by_their_beginnings_and_with_either_letter(models: ReadModels) -> None:
    await append(models.store, debited(), requested())
    await append(models.store, moderated(), enhanced("Пушистый КОТЁНОК под ёлкой"))
    await happened(models, image(0), succeeded(1))
    for words in ("кот", "котенок", "ЕЛК", "пушист ёлк"):
        assert await all_of(models, ItemFilter(user_id=USER, words=words)), words
    assert not await all_of(models, ItemFilter(user_id=USER, words="собака"))


async def test_pages_in_both_directions_are_the_plain_sorted_list(models: ReadModels) -> None:
    history = History(seed=3, users=2)
    await history.append_to(models.store, appends=500)
    await history.import_to(models.store, items=80, seed=13)
    await history.append_to(models.store, appends=400)
    await models.caught_up(["gallery"])
    everything = [row for user in history.users for row in await stored_items(models, user)]
    assert len(everything) > 60
    for where, wanted in filters(history.users[0]):
        expected = sorted(
            (row for row in everything if row.user_id == where.user_id and wanted(row)),
            key=lambda row: (row.create_time, row.create_position),
            reverse=True,
        )
        older, last = await walk(models, where, None)
        assert older == expected, where
        if len(expected) > 7:
            assert last is not None
            newer, _ = await walk(models, where, Cursor(last.create_time, last.create_position, "newer"))
            assert newer == expected[:-1], where


async def test_pages_that_are_asked_for_at_the_same_moment_are_each_askers_own(models: ReadModels) -> None:
    history = History(seed=6, users=3)
    await history.append_to(models.store, appends=400)
    await models.caught_up(["gallery"])
    walks = [(where, limit) for user in history.users for where, _ in filters(user) for limit in (3, 7)]
    alone = [await walk(models, where, None, limit) for where, limit in walks]
    assert sum(len(rows) for rows, _ in alone) > 60
    assert await asyncio.gather(*(walk(models, where, None, limit) for where, limit in walks)) == alone
    changes = [
        await models.gallery.changes(user, after=after, limit=9) for user in history.users for after in (0, 50)
    ]
    again = (models.gallery.changes(user, after=after, limit=9) for user in history.users for after in (0, 50))
    assert await asyncio.gather(*again) == changes


def filters(user: str) -> list[tuple[ItemFilter, Callable[[ItemRow], bool]]]:
    return [
        (ItemFilter(user_id=user), lambda row: not row.trashed),
        (ItemFilter(user_id=user, trashed=True), lambda row: row.trashed),
        (ItemFilter(user_id=user, favorite_only=True), lambda row: row.favorite and not row.trashed),
        (
            ItemFilter(user_id=user, generation_type="video"),
            lambda row: row.generation_type == "video" and not row.trashed,
        ),
        (
            ItemFilter(user_id=user, words="кот fox"),
            lambda row: not row.trashed and has_words(row, "кот", "fox"),
        ),
        (
            ItemFilter(user_id=user, words="snow", generation_type="imagen4", favorite_only=True),
            lambda row: (
                row.favorite and row.generation_type == "imagen4" and not row.trashed and has_words(row, "snow")
            ),
        ),
    ]


def has_words(row: ItemRow, *words: str) -> bool:
    found = f"{row.prompt} {row.improved_prompt}".replace("ё", "е").replace(",", "").split()
    return all(any(each.startswith(word) for each in found) for word in words)


async def walk(
    models: ReadModels, where: ItemFilter, cursor: Cursor | None, limit: int = 7
) -> tuple[list[ItemRow], ItemRow | None]:
    """All rows in a direction, newest first, and the oldest of them."""
    rows: list[ItemRow] = []
    newer = cursor is not None and cursor.direction == "newer"
    for _ in range(1000):
        page = await models.gallery.list_items(where, cursor=cursor, limit=limit)
        rows = [*page.items, *rows] if newer else [*rows, *page.items]
        assert page.has_next == (page.older is not None)
        assert page.has_previous == (page.newer is not None)
        if cursor is not None and page.items:
            assert page.has_next if newer else page.has_previous
        cursor = page.newer if newer else page.older
        if cursor is None:
            return rows, rows[-1] if rows else None
    raise AssertionError("the pages do not end")


async def stored_items(models: ReadModels, user: str) -> list[ItemRow]:
    kept = await all_of(models, ItemFilter(user_id=user))
    return kept + await all_of(models, ItemFilter(user_id=user, trashed=True))


async def test_items_and_counts_agree_with_the_domain(models: ReadModels) -> None:
    history = History(seed=4, users=3)
    await history.import_to(models.store, items=40, seed=14)
    await history.append_to(models.store, appends=900)
    await models.caught_up(["gallery"])
    for user in history.users:
        expected = {
            item.item_id: (item.favorite, item.trashed)
            for generation in history.generations.values()
            if generation.user_id == user
            for item in generation.items
        }
        rows = await stored_items(models, user)
        assert {row.item_id: (row.favorite, row.trashed) for row in rows} == expected
        for kind, (count, favorites, trashed) in (await counts(models, user)).items():
            of_kind = [row for row in rows if row.generation_type == kind]
            assert count == sum(not row.trashed for row in of_kind)
            assert favorites == sum(row.favorite and not row.trashed for row in of_kind)
            assert trashed == sum(row.trashed for row in of_kind)


async def test_a_common_word_is_found_where_the_scan_does_not_reach(
    models: ReadModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.projections.queries_gallery.SCANNED_ITEMS", 5)
    await test_pages_in_both_directions_are_the_plain_sorted_list(models)


async def test_changes_are_told_once_in_their_newest_state_and_from_any_place(models: ReadModels) -> None:
    history = History(seed=5, users=1)
    user = history.users[0]
    known: dict[str, ItemRow] = {}
    after = 0
    for _ in range(6):
        await history.append_to(models.store, appends=150)
        await models.caught_up(["gallery"])
        told: list[str] = []
        while True:
            changes = await models.gallery.changes(user, after=after, limit=10)
            assert len(changes.items) <= 10
            assert all(row.update_position > after for row in changes.items)
            told += [row.item_id for row in changes.items]
            known |= {row.item_id: row for row in changes.items}
            after = changes.position
            if changes.caught_up:
                break
        assert len(told) == len(set(told))
        assert after == await models.store.head()
        assert known == {row.item_id: row for row in await stored_items(models, user)}
    assert any(row.trashed for row in known.values()), "tombstones are told as well"


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_page_sizes_are_bounded(models: ReadModels, limit: int) -> None:
    with pytest.raises(ValueError, match="limit must be 1 to 1000"):
        await models.gallery.list_items(ItemFilter(user_id=USER), cursor=None, limit=limit)
    with pytest.raises(ValueError, match="limit must be 1 to 1000"):
        await models.gallery.changes(USER, after=0, limit=limit)
