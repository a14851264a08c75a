"""``triptychd migrate`` and the service on databases that the operator brings, log and read models apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clients.sdk import AsyncTriptych
from demo.processes import running
from tests.support.postgres import PostgresServer
from tests.support.system import new_user

PATIENCE_SECONDS = 90.0

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def environment(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings that name two new databases with nothing in them."""
    names = [postgres_server.create_database() for _ in range(2)]
    log, read_models = (postgres_server.conninfo_for(name) for name in names)
    yield {
        "TRIPTYCH_EVENT_STORE": log,
        "TRIPTYCH_READ_MODELS": read_models,
        "TRIPTYCH_DATA_DIR": str(tmp_path / "data"),
        "TRIPTYCH_API_PORT": "0",
        "TRIPTYCH_ROLES": "api,projector",
    }
    for name in names:
        postgres_server.drop_database(name)


def triptychd(*arguments: str, environment: Mapping[str, str]) -> Any:
    """The JSON that the program prints."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments, "--json"],
        env={**surroundings, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tables(conninfo: str) -> set[str]:
    """Schemas and tables that are not PostgreSQL's own."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return {name for (name,) in rows}


async def test_log_and_read_models_in_databases_of_their_own(environment: dict[str, str], tmp_path: Path) -> None:
    applied = triptychd("migrate", environment=environment)["applied"]
    assert {name.partition("/")[0] for name in applied} == {"events", "read_models"}
    assert triptychd("migrate", environment=environment) == {"applied": []}
    log, read_models = tables(environment["TRIPTYCH_EVENT_STORE"]), tables(environment["TRIPTYCH_READ_MODELS"])
    assert "read.projections" in read_models - log
    assert not {name for name in read_models if "event" in name}

    user_id = new_user()
    with running("service", ["serve", "--json"], environment=environment, log_file=tmp_path / "log") as service:
        async with AsyncTriptych(service.ready["api"], timeout_seconds=PATIENCE_SECONDS) as client:
            await client.grant_credits(user_id, 100)
            assert (await client.get_account(user_id)).balance == 100
        report = triptychd("doctor", environment=environment)
    assert (report["healthy"], report["events"], report["accounts"]) == (True, 1, 1)
