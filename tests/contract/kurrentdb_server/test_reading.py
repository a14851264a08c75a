"""Reading: where a position begins and ends, what is no position, filters, streams."""

from __future__ import annotations

import kurrentdbclient as kdb
import pytest
from kurrentdbclient import exceptions

from tests.contract.kurrentdb_server.conftest import NEW, event, events, read_all, write
from tests.support.kurrentdb import KurrentDBServer

Client = kdb.AsyncKurrentDBClient


@pytest.fixture
async def written(client: Client) -> list[kdb.RecordedEvent]:
    """Five events, of two types, in two streams."""
    await client.multi_append_to_stream([write("a-1", events(2, "Made")), write("b-1", events(1, "Lost"))])
    await client.multi_append_to_stream(write("a-1", [event("Lost"), event("MadeUp")], 1))
    return await read_all(client)


async def test_forwards_a_position_is_part_of_what_is_read(client: Client, written: list[kdb.RecordedEvent]) -> None:
    assert await read_all(client, commit_position=written[2].commit_position) == written[2:]
    assert await read_all(client, commit_position=written[2].commit_position, limit=2) == written[2:4]


async def test_backwards_it_is_not(client: Client, written: list[kdb.RecordedEvent]) -> None:
    before = await read_all(client, commit_position=written[2].commit_position, backwards=True)
    assert before == written[1::-1]
    assert await read_all(client, backwards=True) == written[::-1]
    assert await read_all(client, backwards=True, limit=1) == written[:-2:-1]
    assert await client.get_commit_position() == written[-1].commit_position


async def test_a_place_at_which_no_record_begins_is_an_error(
    client: Client, written: list[kdb.RecordedEvent]
) -> None:
    between = written[2].commit_position + 1
    with pytest.raises(exceptions.InvalidCommitPositionError):
        await read_all(client, commit_position=between)
    with pytest.raises(exceptions.UnknownError, match="ReadAllResult: InvalidPosition"):
        await read_all(client, commit_position=between, filter_exclude=())
    with pytest.raises(exceptions.UnknownError, match="InvalidPosition"):
        await read_all(client, commit_position=between, filter_exclude=(), backwards=True)


async def test_beyond_the_end_is_nothing_forwards_and_an_error_backwards(
    client: Client, written: list[kdb.RecordedEvent]
) -> None:
    assert await read_all(client, commit_position=written[-1].commit_position + 1) == []
    assert await read_all(client, commit_position=2**40) == []
    with pytest.raises(exceptions.UnknownError, match="greater than writer checkpoint"):
        await read_all(client, commit_position=2**40, backwards=True)


async def test_system_events_stand_in_the_log_too(
    server: KurrentDBServer, client: Client, written: list[kdb.RecordedEvent]
) -> None:
    await server.restart()
    await client.append_to_stream("c", current_version=NEW, events=event())
    everything = await read_all(client, filter_exclude=())
    system = [each for each in everything if each.is_system_event]
    assert system[0].commit_position < written[0].commit_position
    assert "$epoch-information" not in {each.stream_name for each in everything}
    last, new = everything[-2:]
    assert (last, new.stream_name) == (written[-1], "c")
    assert new.commit_position > last.commit_position + 400, "a restart leaves a gap"


@pytest.mark.parametrize(
    ("how", "indexes"),
    [
        ({"filter_include": ("^Made$",)}, [0, 1]),
        ({"filter_include": ("Made",)}, [0, 1]),
        ({"filter_include": ("Lost", "Made")}, [0, 1, 2, 3]),
        # The client puts ^ before the first and $ after the last: what is between is looked for anywhere.
        ({"filter_include": ("Lost", "ade", "x")}, [0, 1, 2, 3, 4]),
        ({"filter_include": ("^(Lost|Made)$",)}, [0, 1, 2, 3]),
        ({"filter_include": ("Made",), "filter_by_prefix": True}, [0, 1, 4]),
        ({"filter_include": ("^b-",), "filter_by_stream_name": True}, []),
        ({"filter_include": ("b-.*",), "filter_by_stream_name": True}, [2]),
        ({"filter_include": ("b-", "c"), "filter_by_stream_name": True, "filter_by_prefix": True}, [2]),
        ({"filter_include": ("Lost",), "backwards": True}, [3, 2]),
        ({"filter_include": ("Lost",), "limit": 1}, [2]),
    ],
    ids=str,
)
async def test_filters(
    client: Client, written: list[kdb.RecordedEvent], how: dict[str, object], indexes: list[int]
) -> None:
    assert await read_all(client, **how) == [written[n] for n in indexes]


async def test_more_than_a_page_is_read_whole(client: Client) -> None:
    await client.multi_append_to_stream([write("a", events(70, "Made")), write("b", events(70, "Lost"))])
    assert [len(await read_all(client, **how)) for how in ({}, {"limit": 64}, {"limit": 65})] == [140, 64, 65]
    assert len(await read_all(client, filter_include=("Lost",))) == 70
    assert len(await read_all(client, filter_include=("Lost",), backwards=True, limit=33)) == 33
    assert len(await client.get_stream("a", limit=66)) == 66


async def test_a_stream_is_read_in_both_directions(client: Client) -> None:
    await client.multi_append_to_stream(write("a", events(5)))

    async def revisions(**how: object) -> list[int]:
        return [each.stream_position for each in await client.get_stream("a", **how)]  # type: ignore[arg-type]

    assert await revisions() == [0, 1, 2, 3, 4]
    assert await revisions(stream_position=2) == [2, 3, 4]
    assert await revisions(stream_position=1, limit=2) == [1, 2]
    assert await revisions(backwards=True) == [4, 3, 2, 1, 0]
    assert await revisions(stream_position=2, backwards=True) == [2, 1, 0]
    assert await revisions(stream_position=9) == []
    assert await revisions(stream_position=9, backwards=True, limit=1) == [4]
    with pytest.raises(exceptions.NotFoundError):
        await client.get_stream("b")


async def test_links_are_not_resolved_here(client: Client) -> None:
    with pytest.raises(exceptions.KurrentDBClientError, match="resolves no links"):
        await read_all(client, resolve_links=True)
