"""``kill -9`` of the whole service in the middle of a generation, and a start on the same folder.

The service runs as it does with no configuration: one process, an embedded PostgreSQL in the data folder.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import psutil
import pytest

from clients.sdk import GenerationState
from demo.processes import StartFailed
from service.adapters.embedded.folder import find_postmaster
from tests.support.single import PATIENCE_SECONDS, Single, running_single
from tests.support.system import new_user

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Single]:
    async with running_single() as one:
        yield one


@pytest.fixture
async def one(shared: Single) -> Single:
    """The service, running; a test that failed may have left it killed."""
    if not shared.is_running:
        await shared.start()
    return shared


async def test_killed_while_the_vendor_has_it(one: Single) -> None:
    user_id = new_user()
    # Its pictures cannot be fetched yet: so it is still in the middle when the service dies.
    await one.control.fail_next("media", "http_503", count=100_000, match=user_id)
    await one.client.grant_credits(user_id, 100)
    requested = await one.client.request_generation(
        user_id, "imagen4", f"lighthouse {user_id}", output_count=2, enhance_prompt=False
    )
    generation_id = requested.generation.generation_id
    await one.until(generation_id, GenerationState.SUBMITTED)
    await one.kill()
    await one.start()
    await one.control.clear_faults()
    generation = await one.ended(generation_id)
    assert (generation.state, len(generation.items)) == (GenerationState.SUCCEEDED, 2)
    assert (await one.client.get_account(user_id)).balance == 90
    shown = [item async for item in one.client.iter_items(user_id)]
    assert {item.item_id for item in shown} == {item.item_id for item in generation.items}
    for item in shown:
        content = (one.data_dir / "media" / item.media.key).read_bytes()
        assert hashlib.sha256(content).hexdigest() == item.media.sha256
    assert await one.jobs(generation_id) == 1


@pytest.mark.parametrize("webhook", [True, False], ids=["with webhook", "without webhook"])
async def test_killed_before_the_vendors_answer(one: Single, webhook: bool) -> None:
    user_id = new_user()
    words = "" if webhook else "[sandbox:webhook-never]"
    # The vendor takes it, and does not get round to saying so before the service dies.
    await one.control.fail_next("submit", "slow_after", seconds=300, match=user_id)
    await one.client.grant_credits(user_id, 100)
    requested = await one.client.request_generation(
        user_id, "imagen4", f"lighthouse {user_id} {words}", enhance_prompt=False
    )
    generation_id = requested.generation.generation_id
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await one.jobs(generation_id) == 0:  # noqa: ASYNC110 - the sandbox has no event to wait for
            await asyncio.sleep(0.05)
    await one.kill()
    await one.start()
    generation = await one.ended(generation_id)
    balance = (await one.client.get_account(user_id)).balance
    # Whether the webhook comes within the grace time, the machine decides: one or the other, never in between.
    if generation.state is GenerationState.SUCCEEDED:
        assert webhook
        assert (len(generation.items), balance) == (1, 95)
    else:
        assert generation.state is GenerationState.FAILED
        assert (generation.failure.reason if generation.failure else "") == "vendor_unavailable"
        assert (len(generation.items), balance) == (0, 100)
    assert await one.jobs(generation_id) == 1


async def test_what_was_acknowledged_outlives_service_and_database(one: Single) -> None:
    user_id = new_user()
    await one.client.grant_credits(user_id, 100, grant_id="first")
    requested = await one.client.request_generation(user_id, "imagen4", "fox", request_id="mine")
    running = find_postmaster(one.data_dir / "postgres")
    assert running is not None
    psutil.Process(running.pid).kill()
    await one.kill()
    await one.start()
    again = await one.client.request_generation(user_id, "imagen4", "fox", request_id="mine")
    assert not again.created
    assert again.generation.generation_id == requested.generation.generation_id
    generation = await one.ended(requested.generation.generation_id)
    assert generation.state is GenerationState.SUCCEEDED
    account = await one.client.get_account(user_id)
    assert (account.balance, account.credits_granted) == (95, 100)


async def test_a_second_service_on_the_folder_is_refused_in_plain_words(one: Single) -> None:
    with pytest.raises(StartFailed) as refused, one.another():
        pass
    said = " ".join(str(refused.value).split())
    assert f"the data folder {one.data_dir} is in use by process {one.pid}" in said
    assert "Traceback" not in said
    await one.client.grant_credits(new_user(), 1)
