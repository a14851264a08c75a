"""The node: who leads, lost answers, broken connections, restarts, who may call, and the server as a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import kurrentdbclient as kdb
import pytest
import trustme
from kurrentdbclient import exceptions
from kurrentdbclient.protos.v2.streams import streams_pb2, streams_pb2_grpc

from tests.contract.kurrentdb_server.conftest import NEW, connected, event, events, read_all, write
from tests.support.kurrentdb import Faults, KurrentDBServer
from tests.support.kurrentdb.node import SupportedMethods
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.kurrentdb.server import MAX_CALLS_PER_CONNECTION

Client = kdb.AsyncKurrentDBClient
USERS = {"admin": "changeit"}


async def test_a_follower_says_who_leads(server: KurrentDBServer, client: Client) -> None:
    await client.multi_append_to_stream(write("a", events(1)))
    server.faults.follower_calls = 3
    with pytest.raises(exceptions.NodeIsNotLeaderError) as refused:
        await client.multi_append_to_stream(write("a", events(1), 0))
    assert (refused.value.host, refused.value.port) == ("127.0.0.1", server.port)
    with pytest.raises(exceptions.NodeIsNotLeaderError) as refused:
        await client.append_to_stream("a", current_version=0, events=event())
    assert (refused.value.host, refused.value.port) == ("127.0.0.1", server.port)
    with pytest.raises(exceptions.NodeIsNotLeaderError):
        await client.get_stream("a")
    assert len(await client.get_stream("a")) == 1


async def test_a_follower_answers_readers_that_do_not_insist(server: KurrentDBServer, client: Client) -> None:
    await client.multi_append_to_stream(write("a", events(1)))
    server.faults.follower_calls = 1
    async with connected(f"{server.connection_string}&nodePreference=random") as other:
        assert len(await other.get_stream("a")) == 1
    assert server.faults.follower_calls == 1


async def test_clients_of_a_cluster_go_to_its_leader(server: KurrentDBServer) -> None:
    async with KurrentDBServer(log=server.log) as follower:
        follower.follow(server)
        async with connected(f"kurrentdb://{follower.address},{server.address}?tls=false") as client:
            await client.multi_append_to_stream(write("a", events(1)))
            assert client.connection_target == server.address
            # They change places.
            follower.faults.follows = None
            server.follow(follower)
            await client.multi_append_to_stream(write("a", events(1), 0))
            assert client.connection_target == follower.address
            assert len(await read_all(client)) == 2


async def test_a_lost_answer_is_repeated_by_the_client(server: KurrentDBServer, client: Client) -> None:
    server.faults.lost_answers = 1
    position = await client.multi_append_to_stream(write("a", events(2)))
    assert server.faults.lost_answers == 0
    found = await read_all(client)
    assert (len(found), found[-1].commit_position) == (2, position)


async def test_silence_lasts_until_the_callers_deadline(server: KurrentDBServer, client: Client) -> None:
    server.faults.lost_answers, server.faults.lost_how = 2, "silence"
    with pytest.raises(exceptions.GrpcDeadlineExceededError):
        await client.multi_append_to_stream(write("a", events(2)), timeout=1.0)
    assert len(await read_all(client)) == 2


async def test_a_connection_carries_a_hundred_calls_and_the_next_one_waits(client: Client) -> None:
    calls = [await client.subscribe_to_stream("a") for _ in range(MAX_CALLS_PER_CONNECTION)]
    with pytest.raises(exceptions.GrpcDeadlineExceededError):
        await client.append_to_stream("a", current_version=NEW, events=event(), timeout=0.2)
    await calls.pop().stop()
    await client.append_to_stream("a", current_version=NEW, events=event())
    for each in calls:
        assert (await anext(each)).stream_name == "a"
        await each.stop()


async def test_broken_connections_are_made_again(server: KurrentDBServer, client: Client) -> None:
    subscription = await client.subscribe_to_all()
    await client.multi_append_to_stream(write("a", events(1)))
    await anext(subscription)
    await server.drop_connections()
    with pytest.raises(exceptions.GrpcError):
        await anext(subscription)
    assert len(await client.get_stream("a")) == 1


async def test_a_restart_keeps_the_log(server: KurrentDBServer, client: Client) -> None:
    position = await client.multi_append_to_stream(write("a", events(1)))
    await server.stop()
    with pytest.raises(exceptions.ServiceUnavailableError):
        await client.get_stream("a")
    await server.start()
    assert await client.get_commit_position() == position


async def test_it_says_what_it_is(server: KurrentDBServer) -> None:
    async def features() -> tuple[str, set[str]]:
        async with grpc.aio.insecure_channel(server.address) as channel:
            ask: Any = channel.unary_unary("/event_store.client.server_features.ServerFeatures/GetSupportedMethods")
            answer = SupportedMethods.FromString(await ask(b""))
        return answer.event_store_server_version, {each.method_name for each in answer.methods}

    version, methods = await features()
    assert version == "25.1.0"
    assert "appendsession" in methods
    server.faults.version = "24.10.5"
    version, methods = await features()
    assert version == "24.10.5"
    assert "appendsession" not in methods
    async with connected(server.connection_string) as client:
        with pytest.raises(exceptions.GrpcError, match="UNIMPLEMENTED"):
            await client.multi_append_to_stream(write("a", events(1)))


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[KurrentDBServer, Path]]:
    authority = trustme.CA()
    certificate_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(certificate_file))
    async with KurrentDBServer(users=USERS, authority=authority) as server:
        yield server, certificate_file


async def test_tls_with_a_name_and_a_password(secure: tuple[KurrentDBServer, Path]) -> None:
    server, certificate_file = secure
    async with connected(server.secure_connection_string(certificate_file, "admin")) as client:
        await client.multi_append_to_stream(write("a", events(1)))
        assert len(await client.get_stream("a")) == 1
    guessed = server.secure_connection_string(certificate_file, "admin").replace(USERS["admin"], "guess")
    async with connected(guessed) as client:
        with pytest.raises(exceptions.UnauthenticatedError):
            await client.get_stream("a")


async def test_nobody_may_do_nothing() -> None:
    async with KurrentDBServer(users=USERS) as server, connected(server.connection_string) as client:
        with pytest.raises(exceptions.AccessDeniedError):
            await client.get_stream("a")
        with pytest.raises(exceptions.KurrentDBClientError, match="Access denied"):
            await client.multi_append_to_stream(write("a", events(1)))


async def test_tls_is_not_to_be_left_out(secure: tuple[KurrentDBServer, Path], tmp_path: Path) -> None:
    server, _ = secure
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for uri in (server.connection_string, server.secure_connection_string(other, "admin")):
        async with connected(uri) as client:
            with pytest.raises(exceptions.ServiceUnavailableError):
                await client.get_stream("a")


async def test_a_killed_process_comes_back_with_its_log(tmp_path: Path) -> None:
    with KurrentDBProcess(tmp_path) as process:
        async with connected(process.connection_string) as client:
            position = await client.multi_append_to_stream([write("a", events(2)), write("b", events(1))])
            await asyncio.to_thread(process.kill)
            with (tmp_path / "kurrentdb.log").open("ab") as log:
                log.write(b"\0\0\1\0torn")
            await asyncio.to_thread(process.start)
            assert await client.get_commit_position() == position
            later = await client.append_to_stream("a", current_version=1, events=event())
            assert later > position
            assert [each.stream_position for each in await client.get_stream("a")] == [0, 1, 2]


async def test_a_process_can_be_told_what_to_do(tmp_path: Path) -> None:
    with KurrentDBProcess(tmp_path) as process:
        assert await process.set_faults(follower_calls=1) == Faults(follower_calls=1)
        async with connected(process.connection_string) as client:
            with pytest.raises(exceptions.NodeIsNotLeaderError):
                await client.append_to_stream("a", current_version=NEW, events=event())
            await client.append_to_stream("a", current_version=NEW, events=event())
        assert await process.set_faults(clock_offset_seconds=-5.0) == Faults(clock_offset_seconds=-5.0)


async def test_a_session_that_breaks_off_writes_nothing(server: KurrentDBServer, client: Client) -> None:
    """Its first stream was sent whole; that the second one would not come is not the end of the session."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = streams_pb2_grpc.StreamsServiceStub(channel)  # type: ignore[no-untyped-call]
        for number in range(40):
            call = stub.AppendSession()
            record = streams_pb2.AppendRecord(
                data=b"{}", schema=streams_pb2.SchemaInfo(name="Half", format=streams_pb2.SCHEMA_FORMAT_JSON)
            )
            await call.write(streams_pb2.AppendRequest(stream=f"a-{number}", records=[record]))
            call.cancel()
            await client.append_to_stream(f"b-{number}", current_version=NEW, events=event("Whole"))
    assert [each.type for each in await read_all(client)] == ["Whole"] * 40
