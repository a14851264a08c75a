"""The web gallery as a process of its own before the running service, and one real browser for all its tests.

Where no Chromium is installed these tests skip and say so. Screenshots are kept in ``artifacts/web``.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.e2e.web.story import BOUND_SECONDS, CHROMIUM_ARGUMENTS, Site, running_site
from tests.support.system import RunningSystem

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = "no Chromium here: apt-get install chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("web"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def site(system: RunningSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The gallery, and its sign-in links."""
    with running_site(system.address, tmp_path_factory.mktemp("web")) as site:
        yield site


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium, the system's own."""
    if CHROMIUM is None:
        pytest.skip(NEEDED)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS), timeout=BOUND_SECONDS * 1000
        )
        yield chromium
        await chromium.close()
