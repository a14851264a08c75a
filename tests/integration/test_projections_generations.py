"""How generations stand, over a real database: given events, then this row."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.domain.decider import DomainEvent
from service.domain.errors import NotFound
from service.domain.generation import events as e
from service.domain.generation.state import Generation
from service.ports.read_models import Cursor, GenerationRow
from service.projections.generations import GENERATIONS
from service.projections.work_list import WORK_LIST
from tests.support.appending import append
from tests.support.history import History
from tests.support.read_models import ReadModels, eventually, running_read_models
from tests.support.samples import (
    DEADLINE,
    GENERATION_ID,
    NOW,
    REQUEST,
    USER,
    cancellation_refused,
    cancellation_requested,
    cancelled,
    debited,
    enhanced,
    failed,
    image,
    imported,
    moderated,
    refunded,
    refunded_by_hand,
    requested,
    submission_deferred,
    submission_started,
    submitted,
    succeeded,
)


@pytest.fixture
async def models(database: str) -> AsyncIterator[ReadModels]:
    store = MemoryEventStore(now=lambda: NOW)
    async with running_read_models(database, store, projections=[GENERATIONS, WORK_LIST]) as models:
        yield models


async def happened(models: ReadModels, *events: DomainEvent) -> GenerationRow:
    position = await append(models.store, *events)
    await models.caught_up(["generations", "work_list"])
    row, seen = await models.generations.generation(GENERATION_ID)
    assert seen >= position
    return row


async def test_a_request_is_queued_with_what_was_asked_and_paid(models: ReadModels) -> None:
    assert await happened(models, debited(20), requested()) == GenerationRow(
        generation_id=GENERATION_ID,
        user_id=USER,
        request_id=REQUEST,
        generation_type="imagen4",
        model="fal-ai/imagen4/preview",
        state="queued",
        prompt="a red fox in the snow",
        aspect_ratio="1:1",
        output_count=4,
        credits_per_output=5,
        credits_debited=20,
        create_time=NOW,
        create_position=2,
        deadline_time=DEADLINE,
        update_position=2,
    )


async def test_the_state_follows_every_step(models: ReadModels) -> None:
    steps: list[tuple[DomainEvent, str]] = [
        (moderated(), "preparing"),
        (enhanced(), "preparing"),
        (submission_started(), "submitting"),
        (submission_deferred(), "preparing"),
        (submission_started(attempt=2), "submitting"),
        (cancellation_requested(), "cancelling"),
        (submitted(), "cancelling"),
        (cancellation_refused(), "submitted"),
        (cancellation_requested(), "cancelling"),
        (cancelled(), "cancelled"),
    ]
    await happened(models, debited(20), requested())
    for event, state in steps:
        row = await happened(models, event)
        assert row.state == state, event
    assert row.provider_request_id == "job-1"
    assert row.end_time == NOW


async def test_a_delivered_one_has_its_items_and_what_came_back(models: ReadModels) -> None:
    await happened(models, debited(20), requested(), moderated(), enhanced("better"), submission_started())
    row = await happened(models, submitted(), refunded(10, "undelivered"), image(0), image(1), succeeded(2, 10))
    assert (row.state, row.delivered_count, row.credits_refunded) == ("succeeded", 2, 10)
    assert (row.improved_prompt, row.prompt_source) == ("better", "improved")
    assert [(item.item_id, item.prompt, item.improved_prompt) for item in row.items] == [
        (f"{GENERATION_ID}.{index}", "a red fox in the snow", "better") for index in (0, 1)
    ]
    trashed = e.ItemTrashed(generation_id=GENERATION_ID, item_id=f"{GENERATION_ID}.1")
    row = await happened(models, trashed, refunded_by_hand(10))
    assert [item.trashed for item in row.items] == [False, True]
    assert row.credits_refunded == 20


async def test_a_failed_one_says_why(models: ReadModels) -> None:
    await happened(models, debited(20), requested())
    row = await happened(models, refunded(20), failed(failure_reason="timed_out"))
    assert (row.state, row.failure_reason, row.credits_refunded) == ("failed", "timed_out", 20)


async def test_a_refused_cancellation_says_why(models: ReadModels) -> None:
    row = await happened(
        models,
        debited(),
        requested(),
        submission_started(),
        submitted(),
        cancellation_requested(),
        cancellation_refused(),
    )
    assert (row.state, row.cancel_refused_why) == ("submitted", "It is being made.")


async def test_what_is_not_there_is_not_found(models: ReadModels) -> None:
    with pytest.raises(NotFound):
        await models.generations.generation(GENERATION_ID)


async def test_the_vendors_reports_are_shown_until_the_end(models: ReadModels) -> None:
    await happened(models, debited(), requested(), moderated(), submission_started(), submitted())
    await models.progress.report(GENERATION_ID, queue_position=3, log_line="waiting")
    await models.progress.report(GENERATION_ID, queue_position=None, log_line="drawing")
    row, _ = await models.generations.generation(GENERATION_ID)
    assert (row.queue_position, row.log_line) == (None, "drawing")
    await models.progress.report(GENERATION_ID, queue_position=0, log_line="")
    row = await happened(models, image(0), succeeded(4))
    assert (row.queue_position, row.log_line) == (None, "")
    await models.progress.report(GENERATION_ID, queue_position=7, log_line="too late")
    assert await models.fetch("SELECT count(*) FROM read.generation_progress") == [(0,)]


async def test_a_report_wakes_those_who_watch_the_generation(models: ReadModels) -> None:
    await happened(models, debited(), requested())
    watching = models.feed.watch("generations", GENERATION_ID)
    await anext(watching)
    await models.progress.report(GENERATION_ID, queue_position=2, log_line="")

    async def reported() -> bool:
        await anext(watching)
        row, _ = await models.generations.generation(GENERATION_ID)
        return row.queue_position == 2

    await eventually(reported, "the report is seen")
    await watching.aclose()  # type: ignore[attr-defined]


def shown_state(state: Generation) -> str:
    if state.ended:
        return state.phase.value
    if state.cancelling:
        return "cancelling"
    if state.phase.value == "queued" and (state.moderated or state.attempts):
        return "preparing"
    return state.phase.value


async def test_any_history_agrees_with_the_domain(models: ReadModels) -> None:
    history = History(seed=8, users=3)
    await history.append_to(models.store, appends=700)
    await models.caught_up(["generations"])
    for user in history.users:
        page = await models.generations.list_generations(user, unfinished_only=False, cursor=None, limit=1000)
        expected = {each.generation_id: each for each in history.generations.values() if each.user_id == user}
        assert {row.generation_id for row in page.generations} == set(expected)
        for row in page.generations:
            state = expected[row.generation_id]
            charge = history.accounts[user].charges.get(row.generation_id)
            assert charge is not None
            assert row.state == shown_state(state)
            assert (row.credits_debited, row.credits_refunded) == (charge.debited, charge.refunded)
            assert (row.improved_prompt, row.prompt_source) == (state.prompt, state.prompt_source)
            assert row.failure_reason == state.failure_reason
            assert (row.end_time is not None) == state.ended


async def test_what_an_older_gallery_had_is_a_generation_that_is_over(models: ReadModels) -> None:
    listed, event = imported()
    await append(models.store, listed, event)
    await models.caught_up(["generations", "work_list"])
    row, _ = await models.generations.generation(event.generation_id)
    assert (row.state, row.request_id, row.imported) == ("succeeded", "import:old-1", True)
    assert (row.credits_debited, row.delivered_count, row.create_time) == (0, 1, event.created_at)
    [item] = row.items
    assert (item.item_id, item.imported, item.create_time) == (event.item_id, True, event.created_at)
    assert await models.fetch("SELECT 1 FROM read.work_list") == []


async def test_generations_are_read_while_a_build_without_the_new_columns_serves(models: ReadModels) -> None:
    """As in the minutes after a service was brought to this version."""
    before = await happened(models, debited(20), requested())
    [(names,)] = await models.fetch(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
        " WHERE table_schema = 'rm_generations_1' AND table_name = 'generations' AND column_name <> 'imported'"
    )
    async with models.pool.connection() as connection, connection.transaction():
        await connection.execute("DROP VIEW read.generations")
        await connection.execute(f"CREATE VIEW read.generations AS SELECT {names} FROM rm_generations_1.generations")
    assert (await models.generations.generation(GENERATION_ID))[0] == before
    page = await models.generations.list_generations(USER, unfinished_only=True, cursor=None, limit=5)
    assert [row.generation_id for row in page.generations] == [GENERATION_ID]


async def test_lists_run_newest_first_in_pages_both_ways(models: ReadModels) -> None:
    history = History(seed=9, users=1)
    await history.import_to(models.store, items=12, seed=10)
    await history.append_to(models.store, appends=200)
    await models.caught_up(["generations"])
    user = history.users[0]
    whole = await models.generations.list_generations(user, unfinished_only=False, cursor=None, limit=1000)
    places = [(row.create_time, row.create_position) for row in whole.generations]
    assert places == sorted(places, reverse=True)
    for unfinished_only in (False, True):
        expected = [row for row in whole.generations if row.end_time is None or not unfinished_only]
        assert len(expected) > 4
        assert await walk(models, user, unfinished_only, None) == expected
        last = expected[-1]
        back = Cursor(last.create_time, last.create_position, "newer")
        assert await walk(models, user, unfinished_only, back) == expected[:-1]


async def walk(models: ReadModels, user: str, unfinished_only: bool, cursor: Cursor | None) -> list[GenerationRow]:
    rows: list[GenerationRow] = []
    newer = cursor is not None
    for _ in range(1000):
        page = await models.generations.list_generations(
            user, unfinished_only=unfinished_only, cursor=cursor, limit=4
        )
        rows = [*page.generations, *rows] if newer else [*rows, *page.generations]
        cursor = page.newer if newer else page.older
        if cursor is None:
            return rows
    raise AssertionError("the pages do not end")
