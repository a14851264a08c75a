"""A real KurrentDB to test on, where there is one.

One that ``TRIPTYCH_TEST_KURRENTDB`` names (a connection string; what is in it stays, and more is written to it), or,
where Docker answers, the oldest release that Triptych takes, in a container of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from filelock import FileLock

VARIABLE = "TRIPTYCH_TEST_KURRENTDB"
IMAGE = "docker.io/kurrentplatform/kurrentdb:25.1.0"
_PORT = 2113
_DOCKER_SOCKET = Path("/var/run/docker.sock")
_DOCKER_TIMEOUT_SECONDS = 5
_START_TIMEOUT_SECONDS = 120
_TURN_TIMEOUT_SECONDS = 100


class ImageMissing(Exception):
    """Docker is there, but it has no such image and cannot get it."""


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
    """Its connection string. To be called where ``why_there_is_none`` has nothing to say. Raises ImageMissing."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    _get_image()
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


@asynccontextmanager
async def alone_on(uri: str) -> AsyncIterator[None]:
    """Meanwhile no other test process of this machine uses that server through here."""
    name = hashlib.sha256(uri.encode()).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"triptych-kurrentdb-{name}.lock", thread_local=False)
    await asyncio.to_thread(lock.acquire, _TURN_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _get_image() -> None:
    from docker.client import DockerClient
    from docker.errors import DockerException, ImageNotFound

    client = DockerClient.from_env(timeout=_START_TIMEOUT_SECONDS)  # type: ignore[no-untyped-call]
    try:
        client.images.get(IMAGE)
    except ImageNotFound:
        try:
            client.images.pull(IMAGE)
        except DockerException as error:
            raise ImageMissing(f"Docker cannot get {IMAGE}: {error}") from error
    finally:
        client.close()
