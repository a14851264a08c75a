"""Reaching a KurrentDB: what its connection string may hold, and what its connections carry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from service.adapters.eventstore.kurrentdb import KurrentEventStore
from service.adapters.eventstore.kurrentdb_connection import connected
from service.adapters.eventstore.kurrentdb_streams import StreamReader
from service.config.conninfo import check_event_store
from service.ports.event_store import EventStoreUnavailable
from tests.support.kurrentdb import KurrentDBServer
from tests.support.log import favorited, following, read_all, write


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return authority, file


async def test_credentials_are_sent_over_tls_with_any_character_in_them(
    certificate: tuple[trustme.CA, Path],
) -> None:
    authority, file = certificate
    password = "p@ss/w:rd?%41"
    async with KurrentDBServer(users={"admin": password}, authority=authority) as server:
        uri = f"kurrentdb://admin:{quote(password, safe='')}@{server.address}?tlsCaFile={file}"
        assert check_event_store(uri) == uri
        async with KurrentEventStore.open(uri) as store:
            await store.append([write("a-1", 0)])
            assert len(await read_all(store)) == 1


async def test_wrong_credentials_are_refused_without_showing_them(certificate: tuple[trustme.CA, Path]) -> None:
    authority, file = certificate
    async with KurrentDBServer(users={"admin": "right"}, authority=authority) as server:
        uri = server.secure_connection_string(file, "admin").replace("right", "hunter2")
        with pytest.raises(EventStoreUnavailable) as refused:
            async with KurrentEventStore.open(uri) as store:
                await store.head()
        assert "hunter2" not in str(refused.value)


async def test_a_certificate_file_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(EventStoreUnavailable, match="No such file"):
        async with KurrentEventStore.open("kurrentdb://admin:x@localhost:1?tlsCaFile=/no/such/file"):
            pass


async def test_more_subscriptions_than_a_connection_carries_are_in_nobodys_way() -> None:
    async with KurrentDBServer() as server, KurrentEventStore.open(server.connection_string) as store:
        subscriptions = [store.subscribe() for _ in range(130)]
        waiting = [asyncio.ensure_future(following(each)) for each in subscriptions]
        position = await store.append([write("a-1", 0)])
        batches = await asyncio.gather(*waiting)
        assert {each.position for each in batches} == {position}
        for each in subscriptions:
            await each.aclose()  # type: ignore[attr-defined]


async def test_a_stream_is_read_whole_also_when_the_connection_is_replaced_meanwhile() -> None:
    async with KurrentDBServer() as server, connected(server.connection_string) as client:
        async with KurrentEventStore.open(server.connection_string) as store:
            await store.append([write("a-1", 0, *(favorited() for _ in range(2000)))])
        streams = StreamReader(client)
        for turns in range(20, 420, 40):
            reading = asyncio.ensure_future(streams.read("a-1", 0, 2000))
            for _ in range(turns):  # so that it is somewhere in the middle
                await asyncio.sleep(0)
            await client.reconnect()
            assert len(await reading) == 2000
