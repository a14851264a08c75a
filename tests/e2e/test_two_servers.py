"""The log on one PostgreSQL server and the read models on another, a process a role, and how many connections each of
them holds while it is at work: no more than ``docs/processes.md`` says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from clients.sdk import AsyncTriptych, GenerationState
from demo.processes import Part, running
from tests.support.postgres import PostgresServer, run_test_server, short_folder
from tests.support.system import QUICK, new_user, running_sandbox_process

BOUND_SECONDS = 120.0
POOL_SIZE = 3
ROLES = ("api", "projector", "worker")
LOOK_SECONDS = 0.05

pytestmark = pytest.mark.timeout(400)


class Installation(NamedTuple):
    """Where everything is. Connections are told apart by the name that each process gives them."""

    log: str
    read_models: str
    settings: Mapping[str, str]
    folder: Path

    def environment_of(self, name: str) -> dict[str, str]:
        return {
            **self.settings,
            "TRIPTYCH_EVENT_STORE": f"{self.log} application_name={name}",
            "TRIPTYCH_READ_MODELS": f"{self.read_models} application_name={name}",
        }

    def triptychd(self, *arguments: str) -> str:
        """What the command prints. Raises CalledProcessError."""
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            env={**surroundings, **self.environment_of("command")},
            capture_output=True,
            text=True,
            timeout=BOUND_SECONDS,
            check=True,
        )
        return done.stdout


@contextmanager
def empty_database(server: PostgresServer) -> Iterator[str]:
    name = server.create_database()
    yield server.conninfo_for(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def installation(postgres_server: PostgresServer) -> Iterator[Installation]:
    """Two servers, each with a database that ``triptychd migrate`` has made tables in."""
    with ExitStack() as stack:
        other = stack.enter_context(run_test_server())
        folder = stack.enter_context(short_folder())
        log, read_models = (stack.enter_context(empty_database(server)) for server in (postgres_server, other))
        _, vendors = stack.enter_context(running_sandbox_process(folder))
        settings = {
            **QUICK,
            **vendors,
            "TRIPTYCH_DATA_DIR": str(folder / "data"),
            "TRIPTYCH_API_PORT": "0",
            "TRIPTYCH_POOL_SIZE": str(POOL_SIZE),
        }
        made = Installation(log, read_models, settings, folder)
        applied = json.loads(made.triptychd("migrate", "--json"))["applied"]
        assert {name.partition("/")[0] for name in applied} == {"events", "read_models"}
        yield made


@pytest.fixture(scope="module")
def processes(installation: Installation) -> Iterator[dict[str, Part]]:
    """By role."""
    with ExitStack() as stack:
        yield {
            role: stack.enter_context(
                running(
                    "service",
                    ["serve", "--json", "--roles", role],
                    environment=installation.environment_of(role),
                    log_file=installation.folder / f"{role}.log",
                )
            )
            for role in ROLES
        }


@asynccontextmanager
async def counting(conninfo: str) -> AsyncIterator[Counter[str]]:
    """The most connections that were seen at once while the block ran, by the process that held them."""
    most: Counter[str] = Counter()

    async def count(connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            cursor = await connection.execute(
                "SELECT application_name, count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1"
            )
            for name, number in await cursor.fetchall():
                most[name] = max(most[name], number)
            await asyncio.sleep(LOOK_SECONDS)

    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        task = asyncio.create_task(count(connection))
        yield most
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def documented() -> dict[str, tuple[int, int]]:
    """By role: the most connections to the log's database and to the read models', by the page's table."""
    page = (Path(__file__).parents[2] / "docs/processes.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| pool \+ (\d+) \| pool \+ (\d+) \|", page, re.MULTILINE)
    return {role: (POOL_SIZE + int(log), POOL_SIZE + int(views)) for role, log, views in rows}


async def work(address: str) -> None:
    """More callers at once than any pool has connections."""
    async with AsyncTriptych(address, timeout_seconds=BOUND_SECONDS) as client:
        users = [new_user() for _ in range(12)]
        await asyncio.gather(*(client.grant_credits(user, 100) for user in users))
        asked = await asyncio.gather(*(client.request_generation(user, "imagen4", "a boat") for user in users))
        await asyncio.gather(*(client.list_items(user) for user in users * 4), _replay(client))
        ended = await asyncio.gather(*(client.wait_for_generation(each.generation.generation_id) for each in asked))
        assert {each.state for each in ended} == {GenerationState.SUCCEEDED}
        shown = await asyncio.gather(*(client.list_items(user) for user in users))
        assert [len(page.items) for page in shown] == [1] * len(users)


async def _replay(client: AsyncTriptych) -> None:
    async for _ in client.replay_events():
        continue


async def test_no_process_holds_more_connections_than_documented(
    installation: Installation, processes: dict[str, Part]
) -> None:
    bounds = documented()
    assert bounds.keys() >= set(ROLES)
    async with counting(installation.log) as to_log, counting(installation.read_models) as to_read_models:
        await work(processes["api"].ready["api"])
    for role in ROLES:
        log, read_models = bounds[role]
        assert 1 < to_log[role] <= log, (role, to_log)
        assert 1 < to_read_models[role] <= read_models, (role, to_read_models)
    # These are open all the time: whoever looks is never told of fewer.
    assert to_read_models["projector"] >= 7


async def test_each_database_has_its_own_tables_and_commands_find_both(
    installation: Installation, processes: dict[str, Part]
) -> None:
    await work(processes["api"].ready["api"])
    log, read_models = schemas(installation.log), schemas(installation.read_models)
    assert read_models - log == {"read", "rm_credits_1", "rm_gallery_1", "rm_generations_1", "rm_work_list_1"}
    assert not {name for name in log if name.startswith("r")}
    await asyncio.to_thread(installation.triptychd, "projections", "rebuild", "gallery")
    assert "rm_gallery_2" in schemas(installation.read_models)
    report = json.loads(await asyncio.to_thread(installation.triptychd, "doctor", "--json"))
    assert report["healthy"], report
    told = json.loads(
        await asyncio.to_thread(
            installation.triptychd, "health", "--json", "--address", processes["api"].ready["api"]
        )
    )
    assert told["status"] == "SERVING"


def schemas(conninfo: str) -> set[str]:
    """Those that hold tables and are not PostgreSQL's own."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return {name for (name,) in rows}
