"""``triptychd health`` and the port that it asks, as probes of containers use them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import Part, StartFailed, running

PATIENCE_SECONDS = 90.0

pytestmark = pytest.mark.timeout(200)


async def ask(*arguments: str, **settings: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "health", "--timeout", "60", *arguments),
        env={**surroundings, "COLUMNS": "200", **{f"TRIPTYCH_{name}": value for name, value in settings.items()}},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def projector(database: str, tmp_path: Path) -> Iterator[Part]:
    """A process that no caller reaches."""
    environment = {
        "TRIPTYCH_EVENT_STORE": database,
        "TRIPTYCH_DATA_DIR": str(tmp_path / "data"),
        "TRIPTYCH_ROLES": "projector",
        "TRIPTYCH_HEALTH_PORT": "0",
    }
    with running("service", ["serve", "--json"], environment=environment, log_file=tmp_path / "log") as part:
        yield part


async def test_a_process_without_callers_tells_its_health_until_it_is_gone(projector: Part) -> None:
    address = projector.ready["health"]
    assert projector.ready["api"] == ""
    assert await ask("--address", address) == (0, f"{address}: serving\n", "")
    port = address.rpartition(":")[2]
    code, told, _ = await ask("--json", HEALTH_PORT=port, HEALTH_HOST="0.0.0.0")
    assert (code, json.loads(told)) == (0, {"address": address, "service": "", "status": "SERVING"})
    code, _, told = await ask("--address", address, "--service", "projection.galery")
    assert (code, told) == (1, f"triptychd: --service: {address} knows no part 'projection.galery'\n")
    projector.kill()
    code, _, told = await ask("--address", address)
    assert code == 1
    assert told.startswith(f"triptychd: {address} does not answer: ")


async def test_a_port_that_is_taken_is_named(database: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {
            "TRIPTYCH_EVENT_STORE": database,
            "TRIPTYCH_DATA_DIR": str(tmp_path / "data"),
            "TRIPTYCH_ROLES": "api",
            "TRIPTYCH_API_PORT": "0",
            "TRIPTYCH_HEALTH_PORT": str(taken.getsockname()[1]),
        }
        refused = running("service", ["serve", "--json"], environment=environment, log_file=tmp_path / "log")
        with pytest.raises(StartFailed, match="TRIPTYCH_HEALTH_PORT: cannot listen"), refused:
            pass
