"""Appending: positions, expected revisions, repeats, refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import kurrentdbclient as kdb
import pytest
from kurrentdbclient import exceptions

from tests.contract.kurrentdb_server.conftest import ANY, NEW, event, events, read_all, write
from tests.support.kurrentdb import KurrentDBServer, streams_v2

Client = kdb.AsyncKurrentDBClient


async def test_every_event_has_a_position_of_its_own_and_the_last_one_is_the_answer(client: Client) -> None:
    first = await client.multi_append_to_stream([write("a", events(2)), write("b", events(1))])
    second = await client.append_to_stream("a", current_version=1, events=events(2))

    found = await read_all(client)
    assert [(each.stream_name, each.stream_position) for each in found] == [
        ("a", 0),
        ("a", 1),
        ("b", 0),
        ("a", 2),
        ("a", 3),
    ]
    positions = [each.commit_position for each in found]
    assert positions == [each.prepare_position for each in found] == sorted(set(positions))
    assert (positions[2], positions[4]) == (first, second)
    assert positions[0] > 0


async def test_what_is_written_comes_back(server: KurrentDBServer, client: Client) -> None:
    data, properties = '{"ы": 1 }'.encode(), {"$correlationId": "c", "ключ": "a\n"}
    new = event(data=data, metadata=json.dumps(properties).encode())
    plain = kdb.NewEvent(type="Raw", data=b"\0\xff", content_type="application/octet-stream", metadata=b"\0")
    await client.multi_append_to_stream([write("a", [new])])
    await client.append_to_stream("a", current_version=0, events=plain)

    first, second = await client.get_stream("a")
    assert (first.id, first.type, first.data, first.content_type) == (new.id, "Happened", data, "application/json")
    expected = properties | {"$schema.name": "Happened", "$schema.format": "Json"}
    assert json.loads(first.metadata) == expected
    assert (second.data, second.metadata, second.content_type) == (b"\0\xff", b"\0", "application/octet-stream")
    assert first.recorded_at is not None
    assert timedelta(0) <= datetime.now(UTC) - first.recorded_at < timedelta(hours=1)


async def test_times_are_those_of_the_servers_clock(server: KurrentDBServer, client: Client) -> None:
    await client.append_to_stream("a", current_version=NEW, events=event())
    server.faults.clock_offset_seconds = -3600
    await client.append_to_stream("a", current_version=0, events=event())
    first, second = [each.recorded_at for each in await client.get_stream("a")]
    assert first is not None
    assert second is not None
    assert first - second > timedelta(minutes=30)


@pytest.mark.parametrize("expected", [NEW, 0, 2, 7])
async def test_only_the_expected_revision_is_accepted(client: Client, expected: int | kdb.StreamState) -> None:
    await client.multi_append_to_stream([write("a", events(2))])
    with pytest.raises(exceptions.WrongCurrentVersionError) as conflict:
        await client.multi_append_to_stream([write("b", events(1)), write("a", events(1), expected)])
    error = conflict.value
    assert (error.stream_name, error.expected_version, error.actual_version) == ("a", expected, 1)
    with pytest.raises(exceptions.WrongCurrentVersionError) as conflict:
        await client.append_to_stream("a", current_version=expected, events=event())
    assert conflict.value.actual_version == 1
    assert len(await read_all(client)) == 2


async def test_any_and_exists(client: Client) -> None:
    with pytest.raises(exceptions.WrongCurrentVersionError) as conflict:
        await client.multi_append_to_stream([write("a", events(1), kdb.StreamState.EXISTS)])
    assert conflict.value.actual_version == NEW
    await client.multi_append_to_stream([write("a", events(1), ANY)])
    await client.multi_append_to_stream([write("a", events(1), kdb.StreamState.EXISTS)])
    assert len(await client.get_stream("a")) == 2


@pytest.mark.parametrize("expected", [NEW, ANY])
async def test_a_repeat_is_answered_as_the_first_was(client: Client, expected: kdb.StreamState) -> None:
    writes = [write("a", events(2), expected), write("b", events(1), expected)]
    first = await client.multi_append_to_stream(writes)
    await client.multi_append_to_stream([write("a", events(1), 1), write("b", events(1), 0)])
    assert await client.multi_append_to_stream(writes) == first
    single = write("c", events(2), expected)
    answer = await client.append_to_stream("c", current_version=expected, events=single.events)
    assert await client.append_to_stream("c", current_version=expected, events=single.events) == answer
    assert await client.multi_append_to_stream(single) == answer
    assert len(await read_all(client)) == 7


async def test_after_a_restart_only_a_repeat_that_states_its_revision_is_known(
    server: KurrentDBServer, client: Client
) -> None:
    stated, careless = write("a", events(2)), write("b", events(1), ANY)
    first = await client.multi_append_to_stream(stated)
    await client.multi_append_to_stream(careless)
    await server.restart()
    assert await client.multi_append_to_stream(stated) == first
    await client.multi_append_to_stream(careless)
    assert [len(await client.get_stream(name)) for name in "ab"] == [2, 2]


async def test_at_the_present_revision_ids_are_not_looked_at(client: Client) -> None:
    new = events(1)
    await client.multi_append_to_stream(write("a", new))
    await client.multi_append_to_stream(write("a", new, 0))
    assert [each.id for each in await client.get_stream("a")] == [new[0].id] * 2


async def test_a_part_of_a_repeat_is_a_conflict(client: Client) -> None:
    new = events(2)
    await client.multi_append_to_stream(write("a", new))
    with pytest.raises(exceptions.WrongCurrentVersionError):
        await client.multi_append_to_stream(write("a", [*new, event()]))
    assert len(await read_all(client)) == 2


async def test_of_several_streams_a_part_that_is_a_repeat_is_told_since_26(
    server: KurrentDBServer, client: Client
) -> None:
    known = write("a", events(1))
    await client.multi_append_to_stream(known)
    with pytest.raises(exceptions.KurrentDBClientError, match="failed to map error") as malfunction:
        await client.multi_append_to_stream([write("b", events(1)), known])
    assert type(malfunction.value) is exceptions.KurrentDBClientError
    server.faults.version = "26.0.3"
    with pytest.raises(exceptions.WrongCurrentVersionError) as conflict:
        await client.multi_append_to_stream([write("b", events(1)), known])
    assert (conflict.value.stream_name, conflict.value.actual_version) == ("a", 0)
    assert len(await read_all(client)) == 1


async def test_a_stream_may_be_in_a_session_once(client: Client) -> None:
    with pytest.raises(exceptions.MultiAppendToSameStreamError) as twice:
        await client.multi_append_to_stream([write("stream", events(1)), write("STREAM", events(1))])
    assert twice.value.stream_name == "STREAM"
    assert await read_all(client) == []


async def test_what_is_too_big_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    big = event(data=b"x" * streams_v2.MAX_RECORD_BYTES)
    with pytest.raises(exceptions.RecordMaxSizeExceededError) as record:
        await client.multi_append_to_stream([write("b", events(1)), write("a", [big])])
    assert (record.value.stream_name, record.value.event_id) == ("a", big.id)
    monkeypatch.setattr(streams_v2, "MAX_APPEND_BYTES", 100)
    with pytest.raises(exceptions.TransactionMaxSizeExceededError) as transaction:
        await client.multi_append_to_stream([write("a", events(30))])
    assert transaction.value.size > transaction.value.max_size == 100
    assert await read_all(client) == []


@pytest.mark.parametrize(
    ("appends", "says"),
    [
        ([write("", events(1))], "may not be called"),
        ([write("$$", events(1))], "may not be called"),
        ([write("a", [])], "at least one record"),
        ([write("a", [event("has space")])], "has space"),
        ([write("a", [event("ы")])], "letters, digits"),
        ([], "without a request"),
    ],
)
async def test_a_malformed_session_is_refused(client: Client, appends: list[kdb.NewEvents], says: str) -> None:
    with pytest.raises(exceptions.KurrentDBClientError, match=says):
        await client.multi_append_to_stream(appends)
    assert await read_all(client) == []


async def test_a_deleted_stream_goes_on_where_it_stopped(client: Client) -> None:
    await client.multi_append_to_stream(write("a", events(3)))
    await client.delete_stream("a", current_version=2)
    with pytest.raises(exceptions.NotFoundError):
        await client.get_stream("a")
    with pytest.raises(exceptions.StreamTombstonedError):
        await client.multi_append_to_stream(write("a", events(1), kdb.StreamState.EXISTS))
    await client.multi_append_to_stream(write("a", events(2)))
    assert [each.stream_position for each in await client.get_stream("a")] == [3, 4]


async def test_a_tombstone_ends_a_stream(client: Client) -> None:
    await client.multi_append_to_stream(write("a", events(1)))
    with pytest.raises(exceptions.WrongCurrentVersionError):
        await client.tombstone_stream("a", current_version=5)
    await client.tombstone_stream("a", current_version=0)
    with pytest.raises(exceptions.StreamIsDeletedError):
        await client.get_stream("a")
    with pytest.raises(exceptions.StreamIsDeletedError):
        await client.append_to_stream("a", current_version=ANY, events=event())
    with pytest.raises(exceptions.StreamTombstonedError) as tombstoned:
        await client.multi_append_to_stream([write("b", events(1)), write("a", events(1), 0)])
    assert tombstoned.value.stream_name == "a"


async def test_metadata_that_this_server_would_not_keep_to_is_refused(client: Client) -> None:
    with pytest.raises(exceptions.KurrentDBClientError, match="maxAge"):
        await client.set_stream_metadata("a", metadata={"$maxAge": 3})
