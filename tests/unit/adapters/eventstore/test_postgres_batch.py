"""Which appends of a batch can be written together."""

from __future__ import annotations

import asyncio
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.adapters.eventstore.codec import EncodedEvent, EventCodec
from service.adapters.eventstore.postgres_batch import PendingAppend, make_pending, make_plan
from service.ports.event_store import StreamWrite
from tests.support.log import favorited, write


def _pending(*writes: StreamWrite) -> PendingAppend:
    loop = asyncio.new_event_loop()
    try:
        return make_pending(writes, EventCodec(), loop.create_future())
    finally:
        loop.close()


def test_appends_to_different_streams_go_together() -> None:
    batch = [_pending(write(f"a-{n}", n)) for n in range(3)]
    plan = make_plan(batch, {})
    assert plan.accepted == batch
    assert plan.base_versions == {"a-0": 0, "a-1": 1, "a-2": 2}


def test_appends_that_build_on_each_other_go_together() -> None:
    batch = [_pending(write("a", 4, favorited(), favorited())), _pending(write("a", 6)), _pending(write("a", 7))]
    plan = make_plan(batch, {})
    assert plan.accepted == batch
    assert plan.base_versions == {"a": 4}
    streams, versions, *_ = plan.rows()
    assert (streams, versions) == (["a"] * 4, [5, 6, 7, 8])


def test_of_two_for_one_version_the_second_is_held() -> None:
    first, second = _pending(write("a", 0)), _pending(write("b", 0), write("a", 0))
    plan = make_plan([first, second], {})
    assert (plan.accepted, plan.held, plan.lost) == ([first], [second], [])
    assert "b" not in plan.base_versions


def test_what_the_database_contradicts_is_lost_and_its_rival_gets_its_turn() -> None:
    stale, right = _pending(write("a", 0)), _pending(write("a", 3))
    assert make_plan([stale, right], {}).accepted == [stale]
    plan = make_plan([stale, right], {"a": 3})
    assert (plan.accepted, plan.held, plan.lost) == ([right], [], [stale])


def test_the_same_event_ids_twice_are_held() -> None:
    new = favorited()
    first, again = _pending(write("a", 0, new)), _pending(write("a", 1, new))
    plan = make_plan([first, again], {})
    assert (plan.accepted, plan.held) == ([first], [again])


_STREAMS = st.sampled_from("abc")
_WRITES = st.dictionaries(_STREAMS, st.tuples(st.integers(0, 3), st.integers(1, 2)), min_size=1)


@given(st.lists(_WRITES, max_size=12), st.dictionaries(_STREAMS, st.integers(0, 3)))
def test_what_is_accepted_is_what_one_after_the_other_would_have_been(
    appends: list[dict[str, tuple[int, int]]], database: dict[str, int]
) -> None:
    """Against the plainest model: a dictionary of versions, and one append at a time."""
    batch = [
        PendingAppend(
            tuple((stream, expected, _events(n, stream, count)) for stream, (expected, count) in writes.items()),
            sum(count for _, count in writes.values()),
            0,
            None,  # type: ignore[arg-type]
        )
        for n, writes in enumerate(appends)
    ]
    versions = {stream: database.get(stream, 0) for stream in "abc"}
    expected = []
    for pending in batch:
        if all(versions[stream] == version for stream, version, _ in pending.writes):
            expected.append(pending)
            for stream, version, events in pending.writes:
                versions[stream] = version + len(events)

    plan = make_plan(batch, {stream: database.get(stream, 0) for stream in "abc"})
    assert plan.accepted == expected
    assert sorted(map(batch.index, plan.accepted + plan.held + plan.lost)) == list(range(len(batch)))


def _events(number: int, stream: str, count: int) -> tuple[EncodedEvent, ...]:
    return tuple(
        EncodedEvent(UUID(int=number * 1000 + ord(stream) * 10 + each), "T", b"{}", b"{}") for each in range(count)
    )
