"""One bot for all tests of a process; those that stop it, or want a slow Telegram, run their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.sdk import AsyncTriptych
from sandbox.telegram import TelegramOptions
from tests.e2e.telegram.stage import SharedStage, bot_at
from tests.support.system import RunningSystem
from tests.support.telegram import NO_LIMITS, running_bot_api


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
async def stage(system: RunningSystem, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SharedStage]:
    """A running bot."""
    async with (
        running_bot_api(TelegramOptions(flood=NO_LIMITS)) as telegram,
        AsyncTriptych(system.address) as client,
        bot_at(telegram, system.address, tmp_path_factory.mktemp("bot")) as bot,
    ):
        yield SharedStage(telegram, client, bot.shared)
