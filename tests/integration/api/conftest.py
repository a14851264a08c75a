"""One service a test process; each test has users of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.api import Api, running_api, settings_for
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
async def api(
    postgres_server: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    name = postgres_server.create_database(template=postgres_template)
    settings = settings_for(postgres_server.conninfo_for(name), tmp_path_factory.mktemp("data"))
    async with running_api(settings) as client:
        yield client
    postgres_server.drop_database(name)
