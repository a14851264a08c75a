"""Each fault of the vendors, end to end through the service: how it ends, why, the credits, the vendor's jobs.

All are begun side by side, and each test waits for its own: what takes long is waiting, and that can be shared.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from clients.sdk import AsyncTriptych, Generation, GenerationState
from sandbox.control import SandboxControl
from tests.e2e.fault_cases import CASES, Case
from tests.support.fleet import catalog_with_deadlines
from tests.support.postgres import PostgresServer, short_folder
from tests.support.relay import Relay
from tests.support.system import new_user, running_system
from tests.support.vendors import picture_bytes

GRANTED = 1000
PRICES = {"imagen4": 5, "avatar": 10, "video": 40}
PATIENCE_SECONDS = 240.0
# Long enough for a webhook on a busy machine, short enough to wait for.
SETTINGS = {
    "TRIPTYCH_ROLES": "api,projector,worker,webhook",
    "TRIPTYCH_WEBHOOK_PORT": "0",
    "TRIPTYCH_WORKER_CONCURRENCY": "200",
    "TRIPTYCH_SUBMISSION_GRACE_SECONDS": "20",
    "TRIPTYCH_SUBMIT_TIMEOUT_SECONDS": "10",
    "TRIPTYCH_TOOL_PATIENCE_SECONDS": "8",
    "TRIPTYCH_MEDIA_PATIENCE_SECONDS": "10",
}
# Nothing but what can never be ready ends by its deadline.
DEADLINE_SECONDS, VIDEO_DEADLINE_SECONDS = 400, 25
_SUBMITS_AT_ONCE = 2
REFUSED = "connection refused"

pytestmark = pytest.mark.timeout(400)


@dataclass
class Bench:
    """A service of its own, and the cases that have begun."""

    triptych: AsyncTriptych
    control: SandboxControl
    begun: dict[str, asyncio.Task[Generation]]

    async def user(self) -> str:
        user_id = new_user()
        await self.triptych.grant_credits(user_id, GRANTED)
        return user_id

    async def run(self, case: Case) -> Generation:
        """From the request to its end."""
        requested = await self.request(case)
        return await self.triptych.wait_for_generation(requested.generation_id)

    async def request(self, case: Case) -> Generation:
        user_id = await self.user()
        reference = await self.triptych.upload_reference(user_id, picture_bytes(size=(256, 256)))
        if case.kind != REFUSED:
            # The user's id stands in no other prompt, so the fault strikes nobody else.
            await self.control.fail_next(
                case.operation, case.kind, count=case.count, seconds=case.seconds, match=user_id
            )
        if case.webhook:
            await self.control.fail_next("webhook", case.webhook, count=1000, match=user_id)
        requested = await self.triptych.request_generation(
            user_id,
            case.type,
            f"lighthouse {user_id}",
            output_count=case.asked,
            enhance_prompt=case.operation == "enhancement",
            reference_media_id=reference.media_id if case.type == "avatar" else None,
        )
        return requested.generation

    async def begin(self, cases: list[Case]) -> None:
        """Those whose submit fails a few at a time, with a success in between: else the circuit breaker would hold
        all the others up, as it should."""
        failing = [case for case in cases if case.operation == "submit"]
        for case in cases:
            if case not in failing:
                self.begun[case.name] = asyncio.create_task(self.run(case))
        for start in range(0, len(failing), _SUBMITS_AT_ONCE):
            for case in failing[start : start + _SUBMITS_AT_ONCE]:
                self.begun[case.name] = asyncio.create_task(self.run(case))
            await self.triptych.generate(await self.user(), "imagen4", "a fox", enhance_prompt=False)

    async def others_ended(self) -> None:
        """For what strikes all."""
        await asyncio.gather(*self.begun.values(), return_exceptions=True)


@pytest.fixture(scope="module")
async def bench(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_template: str
) -> AsyncIterator[Bench]:
    chosen = (item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec"))
    wanted = {case for case in chosen if isinstance(case, Case)}
    with short_folder() as folder:
        catalog = folder / "catalog.toml"
        text = catalog_with_deadlines(DEADLINE_SECONDS)
        head, video, tail = text.partition("[types.video]")
        tail = re.sub(r"deadline_seconds = \d+", f"deadline_seconds = {VIDEO_DEADLINE_SECONDS}", tail)
        catalog.write_text(head + video + tail, "utf-8")
        async with Relay() as webhook:
            settings = SETTINGS | {
                "TRIPTYCH_CATALOG_FILE": str(catalog),
                "TRIPTYCH_WEBHOOK_PUBLIC_URL": f"http://{webhook.address}",
            }
            with running_system(postgres_server, postgres_template, settings) as system:
                webhook.target = system.service.ready["webhook"]
                async with (
                    AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as triptych,
                    SandboxControl(system.control_url) as control,
                ):
                    bench = Bench(triptych, control, {})
                    try:
                        await bench.begin([case for case in CASES if case in wanted])
                        yield bench
                    finally:
                        for task in bench.begun.values():
                            task.cancel()
                        await bench.others_ended()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_fault(bench: Bench, case: Case) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        generation = await asyncio.shield(bench.begun[case.name])
    await _check(bench, generation, case)


async def _check(bench: Bench, generation: Generation, case: Case) -> None:
    told = f"{generation.failure} {generation.undelivered_detail}"
    reason = generation.failure.reason if generation.failure else ""
    assert (reason, len(generation.items)) == (case.reason, case.delivered), told
    assert generation.state is (GenerationState.FAILED if case.reason else GenerationState.SUCCEEDED)
    paid = PRICES[case.type] * case.delivered
    assert generation.credits_refunded == PRICES[case.type] * case.asked - paid
    assert (await bench.triptych.get_account(generation.user_id)).balance == GRANTED - paid
    assert generation.own_words_reason == (case.own_words or "asked" if case.operation != "moderation" else "")
    assert len(await bench.control.jobs(webhook=generation.generation_id)) == case.jobs


async def test_the_vendor_refuses_connections(bench: Bench) -> None:
    case = Case("submit", REFUSED, delivered=1)
    await bench.others_ended()
    after = await bench.triptych.get_head()
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with bench.control.refusing_connections("fal"):
            requested = await bench.request(case)
            async with aclosing(
                bench.triptych.replay_events(after, types=["SubmissionDeferred"], follow=True)
            ) as deferred:
                assert (await anext(deferred)).generation_id == requested.generation_id
        generation = await bench.triptych.wait_for_generation(requested.generation_id)
    await _check(bench, generation, case)


async def test_moderation_refuses_connections(bench: Bench) -> None:
    case = Case("moderation", REFUSED, reason="vendor_unavailable", jobs=0)
    await bench.others_ended()
    async with asyncio.timeout(PATIENCE_SECONDS), bench.control.refusing_connections("openai"):
        generation = await bench.run(case)
    await _check(bench, generation, case)
