"""Streams: cut into messages that fit, ended when the server stops, closed when nobody reads on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from triptych.v1.gallery_service_pb2 import StreamItemsResponse
from triptych.v1.item_pb2 import Item

from service.api.reading import fitting, until_stopping
from service.api.refusals import Stopping

BOUND_SECONDS = 60.0


@given(st.lists(st.integers(0, 300)), st.integers(1, 500))
def test_parts_are_complete_in_order_and_as_small_as_asked(lengths: list[int], limit_bytes: int) -> None:
    items = [Item(prompt="x" * length) for length in lengths]
    parts = fitting(lambda values: StreamItemsResponse(items=values), items, limit_bytes)
    assert [item for part in parts for item in part.items] == items
    assert all(part.items for part in parts) or (items, len(parts)) == ([], 1)
    assert all(len(part.items) <= 1 or part.ByteSize() <= limit_bytes for part in parts)


class Source:
    """Yields what it is given and then stays silent; knows whether it was closed."""

    def __init__(self, *values: int) -> None:
        self._values = values
        self.silent = asyncio.Event()
        self.closed = False

    async def read(self) -> AsyncIterator[int]:
        try:
            for value in self._values:
                yield value
            self.silent.set()
            await asyncio.Event().wait()
        finally:
            self.closed = True


async def test_silent_stream_ends_when_the_server_stops() -> None:
    source, stopping, seen = Source(1, 2), asyncio.Event(), []

    async def read() -> None:
        async for value in until_stopping(source.read(), stopping):
            seen.append(value)

    reading = asyncio.create_task(read())
    async with asyncio.timeout(BOUND_SECONDS):
        await source.silent.wait()
        stopping.set()
        with pytest.raises(Stopping):
            await reading
    assert seen == [1, 2]
    assert source.closed


async def test_busy_stream_ends_when_the_server_stops() -> None:
    async def busy() -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(0)
            yield 1

    stopping, seen = asyncio.Event(), []

    async def read() -> None:
        async for value in until_stopping(busy(), stopping):
            seen.append(value)
            if len(seen) == 3:
                stopping.set()

    with pytest.raises(Stopping):
        await read()
    assert len(seen) == 3


async def test_source_is_closed_when_its_reader_is_cancelled() -> None:
    source = Source(1)

    async def read() -> None:
        async for _ in until_stopping(source.read(), asyncio.Event()):
            pass

    reading = asyncio.create_task(read())
    async with asyncio.timeout(BOUND_SECONDS):
        await source.silent.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert source.closed


async def test_end_and_errors_of_the_source_are_its_readers() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broken")

    async def short() -> AsyncIterator[int]:
        yield 1

    assert [value async for value in until_stopping(short(), asyncio.Event())] == [1]
    with pytest.raises(ValueError, match="broken"):
        [value async for value in until_stopping(broken(), asyncio.Event())]
