"""A real KurrentDB to test on, where there is one.

One that ``TRIPTYCH_TEST_KURRENTDB`` names (a connection string; what is in it stays, and more is written to it), or,
where Docker answers, the oldest release that Triptych takes, in a container of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

VARIABLE = "TRIPTYCH_TEST_KURRENTDB"
IMAGE = "docker.io/kurrentplatform/kurrentdb:25.1.0"
_PORT = 2113
_DOCKER_SOCKET = Path("/var/run/docker.sock")
_DOCKER_TIMEOUT_SECONDS = 5
_START_TIMEOUT_SECONDS = 120


@cache
def why_there_is_none() -> str:
    """Empty if there is a real server to be had."""
    if os.environ.get(VARIABLE):
        return ""
    return "" if _docker_answers() else f"{VARIABLE} names no server, and Docker does not answer"


def _docker_answers() -> bool:
    if "DOCKER_HOST" not in os.environ and not _DOCKER_SOCKET.exists():
        return False
    # Imported where it is needed: it takes as long as many a test, and every run asks.
    from docker.client import DockerClient
    from docker.errors import DockerException

    try:
        client = DockerClient.from_env(timeout=_DOCKER_TIMEOUT_SECONDS)  # type: ignore[no-untyped-call]
        client.ping()
        client.close()
    except DockerException:
        return False
    return True


def described() -> str:
    """What the tests that need a KurrentDB run on, in a line."""
    if why := why_there_is_none():
        return f"the protocol server of tests/support only ({why})"
    named = os.environ.get(VARIABLE)
    return f"the protocol server of tests/support, and {f'the server that {VARIABLE} names' if named else IMAGE}"


@contextmanager
def real_server() -> Iterator[str]:
    """Its connection string. To be called where ``why_there_is_none`` has nothing to say."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    container = (
        DockerContainer(IMAGE)
        .with_envs(
            KURRENTDB_CLUSTER_SIZE="1",
            KURRENTDB_INSECURE="true",
            KURRENTDB_MEM_DB="true",
            KURRENTDB_RUN_PROJECTIONS="None",
        )
        .with_exposed_ports(_PORT)
        .waiting_for(
            HttpWaitStrategy(_PORT, "/health/live").for_status_code(204).with_startup_timeout(_START_TIMEOUT_SECONDS)
        )
    )
    with container as running:
        yield f"kurrentdb://{running.get_container_host_ip()}:{running.get_exposed_port(_PORT)}?tls=false"
