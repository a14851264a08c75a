"""Fixtures of the end-to-end tests that share the running service: a client, the sandbox's control, a user."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from clients.sdk import AsyncTriptych
from sandbox.control import SandboxControl
from tests.support.following import PATIENCE_SECONDS
from tests.support.system import RunningSystem, new_user


@pytest.fixture
async def triptych(system: RunningSystem) -> AsyncIterator[AsyncTriptych]:
    async with AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
async def control(system: RunningSystem) -> AsyncIterator[SandboxControl]:
    async with SandboxControl(system.control_url) as control:
        yield control


@pytest.fixture
async def anna(triptych: AsyncTriptych) -> str:
    """A user with 100 credits."""
    user_id = new_user()
    await triptych.grant_credits(user_id, 100, grant_id="welcome", note="welcome")
    return user_id
