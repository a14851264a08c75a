"""One sandbox for all tests of this folder with a plain HTTP client that trusts it, and a Bot API server a file."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox import Sandbox, SandboxOptions, running_sandbox
from tests.support.bot_api import Calls, calling
from tests.support.fal_queue import BOUND_SECONDS, Queue


@pytest.fixture(scope="session")
async def shared_sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox(SandboxOptions(speed=1000, picture_side=96)) as running:
        yield running


@pytest.fixture
async def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    await shared_sandbox.control.reset()
    return shared_sandbox


@pytest.fixture(scope="session")
async def shared_http(shared_sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    context = ssl.create_default_context(cafile=str(shared_sandbox.ca_file))
    headers = {"Authorization": f"Key {shared_sandbox.fal_key}"}
    async with httpx.AsyncClient(verify=context, headers=headers, timeout=BOUND_SECONDS, trust_env=False) as http:
        yield http


@pytest.fixture
def queue(sandbox: Sandbox, shared_http: httpx.AsyncClient) -> Queue:
    return Queue(sandbox, shared_http)


@pytest.fixture(scope="module")
async def bot_api() -> AsyncIterator[Calls]:
    async with calling() as calls:
        yield calls


@pytest.fixture
async def api(bot_api: Calls) -> Calls:
    """The server without people and updates of other tests: there is one queue for all people."""
    await bot_api.people.reset()
    return bot_api
