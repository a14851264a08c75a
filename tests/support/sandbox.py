"""The vendors' stand-ins for tests: one sandbox a test process, forgotten between tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sandbox import Sandbox, SandboxOptions, running_sandbox

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture(scope="session")
async def sandbox_server() -> AsyncIterator[Sandbox]:
    """A running sandbox, as good as instant, with small pictures."""
    async with running_sandbox(SandboxOptions(speed=1000, picture_side=128)) as running:
        yield running


@pytest.fixture
async def sandbox(sandbox_server: Sandbox) -> AsyncIterator[Sandbox]:
    """The same sandbox without jobs and faults of other tests."""
    await sandbox_server.control.reset()
    yield sandbox_server
    await sandbox_server.control.reset()
