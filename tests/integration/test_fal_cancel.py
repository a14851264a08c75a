"""Cancelling at the vendor."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sandbox import Sandbox
from sandbox.control import JobView
from service.adapters.providers import FalProvider
from service.ports.media_provider import Refused
from tests.support.fal_queue import until
from tests.support.vendors import IMAGEN, fal_provider, settled, submit_request, submitted


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncIterator[FalProvider]:
    async with fal_provider(sandbox) as provider:
        yield provider


async def job_that_is(sandbox: Sandbox, status: str) -> JobView:
    return (await until(sandbox.control.jobs, lambda jobs: jobs[0].status == status))[0]


async def test_what_waits_is_taken_out(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "stuck_in_queue")
    request_id = await submitted(provider, submit_request())
    assert await provider.cancel(IMAGEN, request_id) == "cancelled"
    assert (await job_that_is(sandbox, "COMPLETED")).cancelled
    assert await provider.cancel(IMAGEN, request_id) == "cancelled"
    assert isinstance(await settled(provider, IMAGEN, request_id), Refused)


async def test_what_is_being_made_goes_on_unless_forced(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "stuck")
    request_id = await submitted(provider, submit_request())
    await job_that_is(sandbox, "IN_PROGRESS")
    assert await provider.cancel(IMAGEN, request_id) == "being_made"
    assert (await job_that_is(sandbox, "IN_PROGRESS")).cancel_requests == 0
    assert await provider.cancel(IMAGEN, request_id, force=True) == "cancelled"
    assert (await job_that_is(sandbox, "IN_PROGRESS")).cancel_requests == 1


async def test_what_is_done_is_done(provider: FalProvider, sandbox: Sandbox) -> None:
    request_id = await submitted(provider, submit_request())
    await job_that_is(sandbox, "COMPLETED")
    assert await provider.cancel(IMAGEN, request_id) == "already_completed"


async def test_the_vendors_word_counts(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "stuck_in_queue")
    request_id = await submitted(provider, submit_request())
    await sandbox.control.fail_next("cancel", "already_completed")
    assert await provider.cancel(IMAGEN, request_id) == "already_completed"


async def test_an_unknown_request_is_unknown(provider: FalProvider) -> None:
    assert await provider.cancel(IMAGEN, "00000000-0000-0000-0000-000000000000") == "unknown_request"


@pytest.mark.parametrize("kind", ["http_500", "html", "http_403"])
async def test_a_cancel_without_a_usable_status_is_unreachable(
    provider: FalProvider, sandbox: Sandbox, kind: str
) -> None:
    await sandbox.control.fail_next("generation", "stuck_in_queue")
    request_id = await submitted(provider, submit_request())
    await sandbox.control.fail_next("status", kind, count=1000)
    assert await provider.cancel(IMAGEN, request_id) == "unreachable"


async def test_a_vendor_that_is_down_is_unreachable(sandbox: Sandbox) -> None:
    async with (
        fal_provider(sandbox, cancel_timeout_seconds=1.0) as provider,
        sandbox.control.refusing_connections("fal"),
    ):
        assert await provider.cancel(IMAGEN, "00000000-0000-0000-0000-000000000000") == "unreachable"
