"""The protocol server of the tests, and KurrentDB's own client to call it with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import kurrentdbclient as kdb
import pytest

from tests.support.kurrentdb import KurrentDBServer

NEW = kdb.StreamState.NO_STREAM
ANY = kdb.StreamState.ANY


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[kdb.AsyncKurrentDBClient]:
    client = kdb.AsyncKurrentDBClient(uri)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def server() -> AsyncIterator[KurrentDBServer]:
    async with KurrentDBServer() as server:
        yield server


@pytest.fixture
async def client(server: KurrentDBServer) -> AsyncIterator[kdb.AsyncKurrentDBClient]:
    async with connected(server.connection_string) as client:
        yield client


def event(type_name: str = "Happened", data: bytes = b"{}", metadata: bytes = b"") -> kdb.NewEvent:
    return kdb.NewEvent(type=type_name, data=data, metadata=metadata)


def events(count: int, type_name: str = "Happened") -> list[kdb.NewEvent]:
    return [event(type_name) for _ in range(count)]


def write(stream: str, new: list[kdb.NewEvent], expected: int | kdb.StreamState = NEW) -> kdb.NewEvents:
    return kdb.NewEvents(stream_name=stream, events=new, current_version=expected)


async def read_all(client: kdb.AsyncKurrentDBClient, **how: object) -> list[kdb.RecordedEvent]:
    return [each async for each in await client.read_all(**how)]  # type: ignore[arg-type]
