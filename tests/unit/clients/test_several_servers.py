"""A name that stands for several servers: calls are spread over them, and go on when one is gone."""

from __future__ import annotations

import asyncio

import pytest
from triptych.v1 import history_service_pb2

from tests.unit.clients.scripted import BOUND_SECONDS, QUICK, client_of, scripted_server

HEAD = history_service_pb2.GetHeadResponse(position=3)


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_calls_are_spread_over_servers_and_outlive_one(kind: str) -> None:
    async with scripted_server() as staying:
        staying.will(*[HEAD] * 1000)
        async with scripted_server() as leaving:
            leaving.will(*[HEAD] * 1000)
            caller = client_of(kind, f"ipv4:{staying.address},{leaving.address}", retry=QUICK)
            async with asyncio.timeout(BOUND_SECONDS):
                while not (staying.requests and leaving.requests):
                    await caller.call("get_head")
        for _ in range(10):
            assert await caller.call("get_head") == 3
        await caller.close()
