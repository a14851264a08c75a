"""A vendor that is away, or hangs, for all: nobody's credits stay behind, and the service finds back by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from clients.sdk import AsyncTriptych, Event, Generation, GenerationState
from sandbox.control import SandboxControl
from tests.support.fleet import catalog_with_deadlines
from tests.support.postgres import PostgresServer, short_folder
from tests.support.relay import Relay
from tests.support.system import new_user, running_system

PATIENCE_SECONDS = 120.0
PRICE = 5
HANGING = 60
"""More than a worker's 32 places, and those that it keeps for what is overdue."""

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("faults")]


@dataclass(frozen=True)
class Bench:
    triptych: AsyncTriptych
    control: SandboxControl
    health: Any

    async def request(self, user_id: str) -> Generation:
        requested = await self.triptych.request_generation(user_id, "imagen4", "a lighthouse", enhance_prompt=False)
        return requested.generation

    async def ended(self, generations: list[Generation]) -> list[Generation]:
        waits = (self.triptych.wait_for_generation(each.generation_id) for each in generations)
        return await asyncio.gather(*waits)

    async def rich(self, generations: int) -> str:
        user_id = new_user()
        await self.triptych.grant_credits(user_id, PRICE * generations)
        return user_id

    async def events(self, after: int) -> list[Event]:
        return [event async for event in self.triptych.replay_events(after)]

    async def serves(self, service: str, status: str) -> None:
        """Until the health check says so."""
        wanted = health_pb2.HealthCheckResponse.ServingStatus.Value(status)
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for answer in self.health.Watch(health_pb2.HealthCheckRequest(service=service)):
                if answer.status == wanted:
                    return


@asynccontextmanager
async def running_bench(
    server: PostgresServer, template: str, *, deadline_seconds: int, settings: dict[str, str]
) -> AsyncIterator[Bench]:
    with short_folder() as folder:
        catalog = folder / "catalog.toml"
        catalog.write_text(catalog_with_deadlines(deadline_seconds), "utf-8")
        async with Relay() as webhook:
            settings = settings | {
                "TRIPTYCH_CATALOG_FILE": str(catalog),
                "TRIPTYCH_ROLES": "api,projector,worker,webhook",
                "TRIPTYCH_WEBHOOK_PORT": "0",
                "TRIPTYCH_WEBHOOK_PUBLIC_URL": f"http://{webhook.address}",
            }
            with running_system(server, template, settings) as system:
                webhook.target = system.service.ready["webhook"]
                async with (
                    AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as triptych,
                    SandboxControl(system.control_url) as control,
                    grpc.aio.insecure_channel(system.address) as channel,
                ):
                    yield Bench(triptych, control, health_pb2_grpc.HealthStub(channel))


@pytest.fixture(scope="module")
async def bench(postgres_server: PostgresServer, postgres_template: str) -> AsyncIterator[Bench]:
    async with running_bench(postgres_server, postgres_template, deadline_seconds=10, settings={}) as running:
        yield running


async def test_a_vendor_that_hangs_for_all_keeps_nobodys_credits(bench: Bench) -> None:
    user_id = await bench.rich(HANGING)
    # Much longer than this test waits: whatever ends, ends while the vendor hangs.
    await bench.control.fail_next("status", "slow", count=10_000, seconds=600)
    await bench.control.fail_next("webhook", "never", count=10_000)
    generations = await asyncio.gather(*(bench.request(user_id) for _ in range(HANGING)))
    async with asyncio.timeout(PATIENCE_SECONDS):
        ended = await bench.ended(generations)
    assert Counter(each.failure.reason for each in ended if each.failure) == {"timed_out": HANGING}
    assert (await bench.triptych.get_account(user_id)).balance == PRICE * HANGING
    await bench.control.clear_faults()


async def test_a_vendor_that_is_away_is_left_alone_and_found_again(bench: Bench) -> None:
    user_id = await bench.rich(10)
    await bench.serves("vendor.fal", "SERVING")
    after = await bench.triptych.get_head()
    async with bench.control.refusing_connections("fal"):
        generations = await asyncio.gather(*(bench.request(user_id) for _ in range(10)))
        await bench.serves("vendor.fal", "NOT_SERVING")
        async with asyncio.timeout(PATIENCE_SECONDS):
            ended = await bench.ended(generations)
    assert {each.state for each in ended} == {GenerationState.FAILED}
    assert (await bench.triptych.get_account(user_id)).balance == PRICE * 10
    attempts = sum(event.type == "SubmissionStarted" for event in await bench.events(after))
    # Each once at most before the breaker opens, then one trial after each cooldown.
    assert attempts <= 25
    # Nobody asks for anything meanwhile: it must not be called away for ever.
    await bench.serves("vendor.fal", "SERVING")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await bench.ended([await bench.request(user_id)]))[0].state is not GenerationState.SUCCEEDED:
            continue


async def test_a_webhook_needs_no_look(postgres_server: PostgresServer, postgres_template: str) -> None:
    lazy = {"TRIPTYCH_FIRST_LOOK_SECONDS": "3600", "TRIPTYCH_MOST_LOOK_SECONDS": "3600"}
    async with running_bench(postgres_server, postgres_template, deadline_seconds=7200, settings=lazy) as bench:
        async with asyncio.timeout(PATIENCE_SECONDS):
            [ended] = await bench.ended([await bench.request(await bench.rich(1))])
        assert ended.state is GenerationState.SUCCEEDED
        await bench.serves("projection.work_list", "SERVING")
