"""Each test of a client runs for both, against a scripted server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.clients.scripted import Caller, ScriptedServer, client_of, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture(params=["async", "sync"])
async def caller(request: pytest.FixtureRequest, server: ScriptedServer) -> AsyncIterator[Caller]:
    caller = client_of(request.param, server.address, token="secret-of-the-tests")
    yield caller
    await caller.close()
