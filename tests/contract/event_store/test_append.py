"""Appending: versions, atomicity, conflicts, repeats, and what a store must be able to hold."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from service.domain.account import CreditsGranted
from service.domain.generation.events import AskedParameters, GenerationRequested
from service.ports.event_store import EventStore, Metadata, NewEvent, StreamWrite, VersionConflict
from tests.support.log import favorited, granted, ids, positions, read_all, write


async def test_versions_count_from_1_and_positions_grow(store: EventStore) -> None:
    first = await store.append([write("a-1", 0, favorited(), favorited())])
    second = await store.append([write("a-1", 2)])

    events = await store.read_stream("a-1")
    assert [each.version for each in events] == [1, 2, 3]
    assert positions(events) == sorted(set(positions(events)))
    assert (first, second) == (events[1].position, events[2].position)


async def test_what_is_read_is_what_was_appended(store: EventStore) -> None:
    moment = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
    event = GenerationRequested(
        generation_id="g",
        user_id="u",
        request_id="r",
        asked=AskedParameters(generation_type="imagen4", prompt='Кот "Ы" \\u0041 🐈 \n', seed=2**63 - 1),
        model="m",
        aspect_ratio="1:1",
        output_count=4,
        credits_per_output=5,
        requested_at=moment,
        deadline_at=moment + timedelta(minutes=5),
    )
    metadata = Metadata(correlation_id="c", causation_id="d", actor="e", traceparent="00-1-2-00")
    new = NewEvent(uuid.uuid4(), event, metadata)
    position = await store.append([write("generation-g", 0, new)])

    [recorded] = await store.read_stream("generation-g")
    assert recorded.event == event
    assert recorded.metadata == metadata
    assert (recorded.event_id, recorded.stream, recorded.position) == (new.event_id, "generation-g", position)
    assert recorded.type == "GenerationRequested"
    assert recorded.recorded_at.utcoffset() == timedelta(0)


async def test_several_streams_are_written_together_in_the_order_given(store: EventStore) -> None:
    writes = [write("b-1", 0, favorited(), favorited()), write("a-1", 0)]
    position = await store.append(writes)

    events = await read_all(store)
    assert [each.event_id for each in events] == ids(writes)
    assert [(each.stream, each.version) for each in events] == [("b-1", 1), ("b-1", 2), ("a-1", 1)]
    assert position == events[-1].position == await store.head()


async def test_a_conflict_on_one_stream_writes_to_none(store: EventStore) -> None:
    await store.append([write("a-1", 0)])
    head = await store.head()

    with pytest.raises(VersionConflict) as conflict:
        await store.append([write("b-1", 0), write("a-1", 0)])

    assert (conflict.value.stream, conflict.value.expected_version, conflict.value.actual_version) == ("a-1", 0, 1)
    assert await store.read_stream("b-1") == []
    assert await store.head() == head


@pytest.mark.parametrize("expected", [0, 1, 3, 7])
async def test_only_the_exact_version_is_accepted(store: EventStore, expected: int) -> None:
    await store.append([write("a-1", 0, favorited(), favorited())])
    with pytest.raises(VersionConflict) as conflict:
        await store.append([write("a-1", expected)])
    assert conflict.value.actual_version == 2
    assert len(await store.read_stream("a-1")) == 2


async def test_a_repeat_is_answered_as_the_first_was(store: EventStore) -> None:
    writes = [write("a-1", 0, favorited(), favorited()), write("b-1", 0)]
    first = await store.append(writes)
    await store.append([write("a-1", 2)])

    assert await store.append(writes) == first
    assert len(await read_all(store)) == 4


async def test_a_repeat_is_recognised_by_its_ids_whatever_version_it_expects(store: EventStore) -> None:
    new = favorited()
    first = await store.append([write("a-1", 0, new)])
    assert await store.append([write("a-1", 1, new)]) == first
    assert len(await store.read_stream("a-1")) == 1


async def test_a_repeat_after_a_lost_answer_writes_nothing_twice(store: EventStore) -> None:
    """The caller is cancelled at some point of its append, and cannot know whether it happened."""
    for rounds in range(8):
        writes = [write(f"a-{rounds}", 0), write(f"b-{rounds}", 0)]
        lost = asyncio.create_task(store.append(writes))
        for _ in range(rounds):
            await asyncio.sleep(0)
        lost.cancel()
        await asyncio.wait([lost])
        position = await store.append(writes)
        events = await store.read_stream(f"b-{rounds}")
        assert positions(events) == [position]
    assert len(await read_all(store)) == 16


async def test_repeats_at_the_same_moment_are_one_append(store: EventStore) -> None:
    writes = [write("a-1", 0), write("b-1", 0)]
    answers = await asyncio.gather(*(store.append(writes) for _ in range(20)))
    assert len(set(answers)) == 1
    assert len(await read_all(store)) == 2


async def test_events_of_which_some_are_there_already_are_a_conflict(store: EventStore) -> None:
    known = favorited()
    await store.append([write("a-1", 0, known)])

    with pytest.raises(VersionConflict):
        await store.append([write("a-1", 1, known, favorited())])
    with pytest.raises(VersionConflict):
        await store.append([write("c-1", 0), write("a-1", 1, known)])

    assert len(await read_all(store)) == 1
    await store.append([write("a-1", 1)])


async def test_of_appends_to_one_version_at_the_same_moment_one_wins(store: EventStore) -> None:
    outcomes = await asyncio.gather(
        *(store.append([write("a-1", 0), write(f"b-{n}", 0)]) for n in range(30)), return_exceptions=True
    )
    won = [each for each in outcomes if isinstance(each, int)]
    lost = [each for each in outcomes if isinstance(each, VersionConflict)]
    assert (len(won), len(lost)) == (1, 29)
    assert {each.actual_version for each in lost} == {1}
    assert len(await read_all(store)) == 2


async def test_appends_at_the_same_moment_that_build_on_each_other_all_succeed(store: EventStore) -> None:
    await asyncio.gather(*(store.append([write("a-1", version)]) for version in range(20)))
    assert [each.version for each in await store.read_stream("a-1")] == list(range(1, 21))


async def test_a_conflict_does_not_touch_its_neighbours(store: EventStore) -> None:
    await store.append([write("busy", 0)])
    outcomes = await asyncio.gather(
        *(store.append([write("busy" if n % 3 == 0 else f"a-{n}", 0)]) for n in range(60)), return_exceptions=True
    )
    for n, outcome in enumerate(outcomes):
        assert isinstance(outcome, VersionConflict if n % 3 == 0 else int)
    assert len(await read_all(store)) == 41


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\0", "\N{REPLACEMENT CHARACTER}"),
        ("a\ud83db", "a\N{REPLACEMENT CHARACTER}b"),
        ("\udc00\0", "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
        (r"C:\u0000", r"C:\u0000"),
        ("\x01\x7f\ufffe\U0010ffff", "\x01\x7f\ufffe\U0010ffff"),
    ],
)
async def test_characters_that_json_in_postgresql_cannot_hold_are_replaced(
    store: EventStore, text: str, stored: str
) -> None:
    new = NewEvent(
        uuid.uuid4(),
        CreditsGranted(user_id="u", grant_id="g", credits=1, note=text),
        Metadata(actor=text),
    )
    await store.append([write("account-u", 0, new)])
    [recorded] = await store.read_stream("account-u")
    assert isinstance(recorded.event, CreditsGranted)
    assert recorded.event.note == stored
    assert recorded.metadata.actor == stored


async def test_a_big_event_is_held_whole(store: EventStore) -> None:
    text = "Ж🐈x" * 700_000
    await store.append([write("a-1", 0, granted(text)), write("b-1", 0)])
    [recorded] = await store.read_stream("a-1")
    assert isinstance(recorded.event, CreditsGranted)
    assert recorded.event.note == text


async def test_many_events_in_one_append(store: EventStore) -> None:
    count = 2_500
    position = await store.append([write("a-1", 0, *(favorited(str(n)) for n in range(count)))])
    events = await store.read_stream("a-1", limit=count + 1)
    assert [each.version for each in events] == list(range(1, count + 1))
    assert events[-1].position == position


_TWICE = favorited()


@pytest.mark.parametrize(
    ("writes", "says"),
    [
        ([], "at least one stream"),
        ([StreamWrite("a-1", 0, ())], "a-1: a write needs at least one event"),
        ([write("a-1", 0), write("a-1", 1)], "a-1 is named twice"),
        ([write("a-1", -1)], "expected_version must be 0 or more, not -1"),
        ([write("a-1", 0, _TWICE), write("b-1", 0, _TWICE)], "stands twice"),
        ([write("", 0)], "1 to 400 characters"),
        ([write("x" * 401, 0)], "1 to 400 characters"),
        ([write("a\0", 0)], "printable"),
        ([write("a\ud800", 0)], "printable"),
    ],
)
async def test_a_malformed_append_is_refused_in_words(
    store: EventStore, writes: list[StreamWrite], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        await store.append(writes)
    assert await store.head() == 0


async def test_stream_names_may_be_long_and_in_any_script(store: EventStore) -> None:
    name = "account-" + "ы🐈" * 196
    await store.append([write(name, 0)])
    assert [each.stream for each in await store.read_stream(name)] == [name]
