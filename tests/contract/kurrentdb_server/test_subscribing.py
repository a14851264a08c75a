"""Subscribing: what comes, in which order, with which positions; falling behind."""

from __future__ import annotations

import asyncio

import kurrentdbclient as kdb
import pytest
from kurrentdbclient import exceptions

from tests.contract.kurrentdb_server.conftest import connected, event, events, read_all, write
from tests.support.kurrentdb import KurrentDBServer
from tests.support.log import PATIENCE_SECONDS

Client = kdb.AsyncKurrentDBClient


class Subscriber:
    """``heard``: everything so far, events by their revision, other messages by name and position."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, **how: object) -> Subscriber:
        how = {"include_checkpoints": True, "include_caught_up": True, "include_fell_behind": True} | how
        self._messages = await self._client.subscribe_to_all(**how)  # type: ignore[arg-type]
        return self

    async def hear(self, count: int) -> list[tuple[str, int]]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [_told(await anext(self._messages)) for _ in range(count)]

    async def hear_until_caught_up(self) -> list[tuple[str, int]]:
        heard = await self.hear(1)
        while heard[-1][0] != "CaughtUp":
            heard += await self.hear(1)
        return heard

    async def hear_made_up_to(self, position: int) -> list[tuple[str, int]]:
        heard = await self.hear(1)
        while heard[-1] != ("Made", position):
            heard += await self.hear(1)
        return [each for each in heard if each[0] == "Made"]


def _told(message: kdb.RecordedEvent) -> tuple[str, int]:
    return message.type or type(message).__name__, message.commit_position


@pytest.fixture
def subscriber(client: Client) -> Subscriber:
    return Subscriber(client)


async def test_what_is_there_then_caught_up_then_what_is_written(client: Client, subscriber: Subscriber) -> None:
    last = await client.multi_append_to_stream(write("a", events(2, "Made")))
    first, _ = await read_all(client)
    await subscriber.start()
    assert await subscriber.hear(4) == [
        ("Made", first.commit_position),
        ("Made", last),
        ("Checkpoint", last),
        ("CaughtUp", last),
    ]
    position = await client.multi_append_to_stream(write("b", events(1, "Lost")))
    assert await subscriber.hear(1) == [("Lost", position)]


async def test_a_position_is_not_delivered_again(client: Client, subscriber: Subscriber) -> None:
    await client.multi_append_to_stream(write("a", events(3, "Made")))
    _, second, third = await read_all(client)
    await subscriber.start(commit_position=second.commit_position)
    assert (await subscriber.hear(1))[0] == ("Made", third.commit_position)
    live = await Subscriber(client).start(commit_position=third.commit_position)
    assert await live.hear(1) == [("CaughtUp", third.commit_position)]


async def test_a_position_beyond_the_end_leaves_out_what_comes_up_to_it(
    client: Client, subscriber: Subscriber
) -> None:
    await client.multi_append_to_stream(write("a", events(1, "Made")))
    given = await client.get_commit_position() + 200
    await subscriber.start(commit_position=given)
    assert await subscriber.hear(1) == [("CaughtUp", given)]
    await client.multi_append_to_stream(write("a", events(1), 0))
    late = await client.multi_append_to_stream(write("a", [event("Late", b"1" * 300)], 1))
    assert await subscriber.hear(1) == [("Late", late)]


async def test_a_place_at_which_no_record_begins_is_an_error(client: Client, subscriber: Subscriber) -> None:
    await client.multi_append_to_stream(write("a", events(3, "Made")))
    first = (await read_all(client))[0]
    await subscriber.start(commit_position=first.commit_position + 1)
    with pytest.raises(exceptions.KurrentDBClientError, match="invalid position"):
        await subscriber.hear(1)


async def test_from_the_end_only_what_is_written_comes(client: Client, subscriber: Subscriber) -> None:
    last = await client.multi_append_to_stream(write("a", events(3)))
    await subscriber.start(from_end=True)
    assert await subscriber.hear(1) == [("CaughtUp", last)]


async def test_caught_up_may_stand_far_before_the_end(client: Client, subscriber: Subscriber) -> None:
    await client.multi_append_to_stream(write("a", events(5)))
    await subscriber.start(filter_include=("Rare",))
    assert await subscriber.hear(2) == [("Checkpoint", 0), ("CaughtUp", 0)]


async def test_checkpoints_while_catching_up_are_where_pages_begin(client: Client, subscriber: Subscriber) -> None:
    await client.multi_append_to_stream(write("a", events(100)))
    everything = await read_all(client, filter_exclude=())
    await subscriber.start(filter_include=("Rare",), window_size=10, checkpoint_interval_multiplier=2)
    heard = await subscriber.hear_until_caught_up()
    positions = [position for name, position in heard if name == "Checkpoint"]
    assert len(positions) > 4
    assert positions == sorted(set(positions))
    assert set(positions) <= {each.commit_position for each in everything}
    assert positions[-1] == heard[-1][1] < everything[-1].commit_position


async def test_who_resumes_at_such_a_checkpoint_steps_over_the_event_there(
    client: Client, subscriber: Subscriber
) -> None:
    """A checkpoint's prepare position is 0, before the event that begins there; the client gives it back as equal."""
    await client.multi_append_to_stream([write("a", events(36)), write("b", events(1, "Rare"))])
    rare = (await read_all(client))[-1]
    await subscriber.start(filter_include=("Rare",), window_size=13, checkpoint_interval_multiplier=1)
    heard = await subscriber.hear_until_caught_up()
    checkpoints = [position for name, position in heard if name == "Checkpoint"]
    assert rare.commit_position in checkpoints
    assert ("Rare", rare.commit_position) in heard
    resumed = await Subscriber(client).start(filter_include=("Rare",), commit_position=rare.commit_position)
    assert "Rare" not in {name for name, _ in await resumed.hear_until_caught_up()}


async def test_live_checkpoints_come_after_an_interval_of_events_of_any_kind(
    client: Client, subscriber: Subscriber
) -> None:
    await subscriber.start(filter_include=("Rare",), window_size=2, checkpoint_interval_multiplier=3)
    await subscriber.hear_until_caught_up()
    for revision in range(-1, 4):
        expected = revision if revision >= 0 else kdb.StreamState.NO_STREAM
        await client.multi_append_to_stream(write("a", events(1), expected))
    sixth = await client.multi_append_to_stream(write("a", events(1), 4))
    await client.multi_append_to_stream(write("a", events(3), 5))
    rare = await client.multi_append_to_stream(write("b", events(1, "Rare")))
    assert await subscriber.hear(2) == [("Checkpoint", sixth), ("Rare", rare)]


async def test_a_subscriber_that_falls_behind_catches_up_and_misses_nothing(
    server: KurrentDBServer, subscriber: Subscriber
) -> None:
    server.faults.tells_fell_behind = True
    await subscriber.start()
    await subscriber.hear_until_caught_up()
    async with connected(server.connection_string) as other:
        last = await other.multi_append_to_stream(write("a", events(200, "Made")))
        heard = await subscriber.hear_until_caught_up()
        made = [position for name, position in heard if name == "Made"]
        assert made == [each.commit_position for each in await read_all(other)]
    assert "FellBehind" in {name for name, _ in heard}
    assert heard[-1] == ("CaughtUp", last)


async def test_falling_behind_is_not_told(server: KurrentDBServer, client: Client, subscriber: Subscriber) -> None:
    server.faults.live_buffer = 1
    await subscriber.start()
    await subscriber.hear_until_caught_up()
    await client.multi_append_to_stream(write("a", events(3, "Made")))
    heard = await subscriber.hear_until_caught_up()
    assert [name for name, _ in heard if name != "Checkpoint"] == ["Made"] * 3 + ["CaughtUp"]


async def test_a_slow_reader_holds_up_only_itself(server: KurrentDBServer, client: Client) -> None:
    slow = await Subscriber(client).start()
    await slow.hear_until_caught_up()
    async with connected(server.connection_string) as other:
        quick = await Subscriber(other).start()
        await quick.hear_until_caught_up()
        for number in range(20):
            big = [event("Made", b"1" * 50_000) for _ in range(10)]
            last = await other.multi_append_to_stream(write(f"a-{number}", big))
        made = await quick.hear_made_up_to(last)
    assert len(made) == 200
    assert await slow.hear_made_up_to(last) == made


async def test_a_stream_can_be_followed(client: Client) -> None:
    await client.multi_append_to_stream([write("a", events(3)), write("b", events(1))])
    following = await client.subscribe_to_stream("a", stream_position=0, include_caught_up=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [(await anext(following)).stream_position for _ in range(2)] == [1, 2]
        caught_up = await anext(following)
        assert (caught_up.is_caught_up, caught_up.stream_position) == (True, 2)
        await client.multi_append_to_stream([write("b", events(1), 0), write("a", events(1), 2)])
        assert (await anext(following)).stream_position == 3
