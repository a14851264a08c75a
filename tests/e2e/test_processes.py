"""One ``triptychd serve`` as several processes: API processes on one port and the web gallery beside them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from clients.sdk import AsyncTriptych
from demo.processes import Part, StartFailed, running
from tests.support.postgres import PostgresServer, short_folder
from tests.support.system import new_user

BOUND_SECONDS = 90.0
TOKEN = "a-token-of-the-web-gallery"
PROCESSES = 2

pytestmark = pytest.mark.timeout(300)


def settings_of(conninfo: str, folder: Path) -> dict[str, str]:
    return {
        "TRIPTYCH_EVENT_STORE": conninfo,
        "TRIPTYCH_DATA_DIR": str(folder / "data"),
        "TRIPTYCH_API_PORT": "0",
        "TRIPTYCH_WEB_PORT": "0",
        "TRIPTYCH_WEB_DATA_DIR": str(folder / "web"),
        "TRIPTYCH_ROLES": "api,projector,web",
        "TRIPTYCH_PROCESSES": str(PROCESSES),
        "TRIPTYCH_LOG_FORMAT": "json",
        "TRIPTYCH_API_TOKENS": f"bot:another-token-of-somebody,web:{TOKEN}",
    }


@pytest.fixture(scope="module")
def environment(postgres_server: PostgresServer, postgres_template: str) -> Iterator[dict[str, str]]:
    name = postgres_server.create_database(template=postgres_template)
    with short_folder() as folder:
        yield settings_of(postgres_server.conninfo_for(name), folder)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def log(environment: dict[str, str]) -> Path:
    """Where the service and its children write to."""
    return Path(environment["TRIPTYCH_DATA_DIR"]).with_name("log")


@pytest.fixture(scope="module")
def service(environment: dict[str, str], log: Path) -> Iterator[Part]:
    """Its children may be killed: others come in their places."""
    with running("service", ["serve", "--json"], environment=environment, log_file=log) as part:
        yield part


def children(part: Part, *words: str) -> dict[int, psutil.Process]:
    """Its children that have these words on their command line, by pid."""
    found = psutil.Process(part.process.pid).children()
    return {each.pid: each for each in found if set(words) <= set(_command(each))}


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # it has ended since
        return []


def connections(processes: dict[int, psutil.Process], port: int) -> list[int]:
    """How many callers each of them has on the port."""
    return [
        sum(1 for each in process.net_connections("tcp") if each.laddr.port == port and each.status == "ESTABLISHED")
        for process in processes.values()
    ]


async def until(holds: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            while not holds():  # noqa: ASYNC110 - processes have no event to wait for
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {BOUND_SECONDS} s in vain until {what}") from None


async def test_callers_are_spread_over_processes_that_share_a_port(service: Part, log: Path) -> None:
    assert service.ready["processes"] == PROCESSES
    address = service.ready["api"]
    apis = children(service, "service", "serve")
    assert len(apis) == PROCESSES
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["process"] for line in lines if line["event"] == "api_listening"} >= apis.keys()
    # Channels of one program to one address share a connection, unless they are told not to.
    apart = (("grpc.use_local_subchannel_pool", 1),)
    async with AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, apart))
            for _ in range(32)  # That all get to one process by chance happens once in two thousand million times.
        ]
        await asyncio.gather(*(serving(caller) for caller in callers))
        each = connections(apis, int(address.rpartition(":")[2]))
        assert sum(each) >= len(callers)
        assert min(each) > 0


async def serving(channel: grpc.aio.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=BOUND_SECONDS, wait_for_ready=True)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_api_process_that_is_killed_costs_callers_nothing_and_is_replaced(service: Part) -> None:
    before = children(service, "service", "serve")
    users = [new_user() for _ in range(8)]
    async with AsyncTriptych(service.ready["api"], token=TOKEN, timeout_seconds=BOUND_SECONDS) as client:
        for number, user in enumerate(users):
            if number == len(users) // 2:
                os.kill(min(before), signal.SIGKILL)
            await client.grant_credits(user, 5, grant_id="welcome")
        assert [(await client.get_account(user)).balance for user in users] == [5] * len(users)
    await until(
        lambda: len(children(service, "service", "serve").keys() - {min(before)}) == PROCESSES, "another one is there"
    )


async def test_the_web_gallery_reaches_its_own_api_and_is_replaced(
    service: Part, environment: dict[str, str]
) -> None:
    user = new_user()
    async with AsyncTriptych(service.ready["api"], token=TOKEN, timeout_seconds=BOUND_SECONDS) as client:
        await client.grant_credits(user, 321)
    path = f"/sign-in/{web_link(user, environment).rpartition('/')[2]}"
    async with httpx.AsyncClient(base_url=service.ready["web"], timeout=BOUND_SECONDS) as browser:
        await browser.post(path)
        page = await browser.get("/")
    assert "321" in page.text
    (web,) = children(service, "clients.web")
    os.kill(web, signal.SIGKILL)
    await until(lambda: bool(children(service, "clients.web").keys() - {web}), "another web gallery is there")


def web_link(user: str, environment: dict[str, str]) -> str:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    settings = {name: value for name, value in environment.items() if name.startswith("TRIPTYCH_WEB_")}
    done = subprocess.run(
        [sys.executable, "-m", "clients.cli", "web-link", user],
        env={**surroundings, **settings},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=True,
    )
    return done.stdout.strip()


async def test_all_stop_together(environment: dict[str, str], tmp_path: Path) -> None:
    settings = environment | {"TRIPTYCH_HEALTH_PORT": "0"}
    with running("service", ["serve", "--json"], environment=settings, log_file=tmp_path / "log") as part:
        assert part.ready["health"]
        left = children(part)
        assert len(left) == PROCESSES + 1
        part.process.send_signal(signal.SIGTERM)
        await until(lambda: part.process.poll() is not None, "it has stopped")
    told = (tmp_path / "log").read_text()
    assert part.process.returncode == 0, told
    assert "Traceback" not in told
    assert not any(psutil.pid_exists(pid) for pid in left)


async def test_children_do_not_outlive_a_parent_that_is_killed(environment: dict[str, str], tmp_path: Path) -> None:
    with running("service", ["serve", "--json"], environment=environment, log_file=tmp_path / "log") as part:
        left = children(part)
        assert len(left) == PROCESSES + 1
        part.kill()
        await until(lambda: not any(each.is_running() and _command(each) for each in left.values()), "all are gone")


async def test_a_port_that_is_taken_is_told_before_children_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = environment | {"TRIPTYCH_API_PORT": str(taken.getsockname()[1])}
        starting = running("service", ["serve", "--json"], environment=settings, log_file=tmp_path / "log")
        with pytest.raises(StartFailed, match=r"cannot listen on 127\.0\.0\.1:.*: the port is taken"), starting:
            pass


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ROLES": "projector"}, "TRIPTYCH_PROCESSES: is for the role api, which is not on"),
        ({"EVENT_STORE": "postgresql://nobody@127.0.0.1:1/nothing", "ROLES": "api"}, "api-1 did not start"),
    ],
)
async def test_what_cannot_start_says_why(
    environment: dict[str, str], tmp_path: Path, changes: dict[str, str], sentence: str
) -> None:
    settings = environment | {f"TRIPTYCH_{name}": value for name, value in changes.items()}
    starting = running("service", ["serve", "--json"], environment=settings, log_file=tmp_path / "log")
    with pytest.raises(StartFailed, match=sentence), starting:
        pass
