"""``triptychd doctor`` beside the running service, on a database that is broken on purpose: it names each thing.

Each test breaks a copy of one database, so that what it finds is its own doing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
import pytest

from clients.sdk import AsyncTriptych
from sandbox.control import SandboxControl
from tests.support.postgres import PostgresServer, short_folder
from tests.support.system import new_user, running_system

PATIENCE_SECONDS = 120.0

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Original:
    """A database with one user, one finished and one failed generation."""

    name: str
    user_id: str
    done: str
    failed: str


@pytest.fixture(scope="module")
async def original(postgres_server: PostgresServer, postgres_template: str) -> AsyncIterator[Original]:
    name = postgres_server.create_database(template=postgres_template)
    user_id = new_user()
    conninfo = postgres_server.conninfo_for(name)
    with running_system(postgres_server, postgres_template, {"TRIPTYCH_EVENT_STORE": conninfo}) as system:
        async with (
            AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as triptych,
            SandboxControl(system.control_url) as control,
        ):
            await triptych.grant_credits(user_id, 100)
            done = await triptych.generate(user_id, "imagen4", "a fox", enhance_prompt=False)
            await control.fail_next("generation", "internal_server_error")
            requested = await triptych.request_generation(user_id, "imagen4", "an owl", enhance_prompt=False)
            failed = await triptych.wait_for_generation(requested.generation.generation_id)
            assert failed.failure is not None
            # Beside the service as it runs, all is well.
            report, code = doctor(system.environment)
    assert (report["findings"], report["differences"], code) == ([], [], 0)
    yield Original(name, user_id, done.generation_id, failed.generation_id)
    postgres_server.drop_database(name)


@pytest.fixture
def copy(postgres_server: PostgresServer, original: Original) -> Iterator[str]:
    name = postgres_server.create_database(template=original.name)
    yield postgres_server.conninfo_for(name)
    postgres_server.drop_database(name)


def doctor(environment: Any) -> tuple[dict[str, Any], int]:
    """What it found, and its exit code."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "service", "doctor", "--json"],
        env={**surroundings, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["healthy"] is (done.returncode == 0)
    return report, done.returncode


def broken(conninfo: str, *statements: LiteralString, **parameters: str) -> None:
    with psycopg.connect(conninfo) as connection:
        for statement in statements:
            assert connection.execute(statement, parameters).rowcount != 0, statement


def examined(conninfo: str) -> dict[str, Any]:
    with short_folder() as folder:
        report, code = doctor({"TRIPTYCH_EVENT_STORE": conninfo, "TRIPTYCH_DATA_DIR": str(folder)})
    assert code == 1
    return report


def test_a_refund_that_is_gone(copy: str, original: Original) -> None:
    broken(copy, "DELETE FROM triptych.events WHERE type = 'CreditsRefunded'")
    report = examined(copy)
    found = " ".join(report["findings"])
    assert f"generation-{original.failed} ends with 5 credits to refund, and 0 stand before it" in found
    assert f"generation-{original.failed} kept 5 credits for 0 outputs" in found
    assert "is missing" in found
    assert any(original.user_id in each for each in report["differences"])


def test_an_end_that_is_gone(copy: str, original: Original) -> None:
    broken(copy, "DELETE FROM triptych.events WHERE type = 'GenerationSucceeded'")
    report = examined(copy)
    assert any("is missing" in each for each in report["findings"])
    assert any(f"generation {original.done} is shown as succeeded" in each for each in report["differences"])


def test_a_debit_twice(copy: str, original: Original) -> None:
    broken(
        copy,
        "INSERT INTO triptych.events (position, stream, version, event_id, type, data, metadata, recorded_at)"
        " SELECT (SELECT max(position) + 1 FROM triptych.events),"
        " stream, (SELECT max(version) + 1 FROM triptych.events AS other WHERE other.stream = debit.stream),"
        " gen_random_uuid(), type, data, metadata, now()"
        " FROM triptych.events AS debit WHERE type = 'CreditsDebited' AND data->>'generation_id' = %(id)s",
        id=original.done,
    )
    found = " ".join(examined(copy)["findings"])
    assert f"debits {original.done} without the request right behind it" in found
    assert f"generation-{original.done} cost 10 credits at a price of 5" in found


def test_another_balance_in_the_read_model(copy: str, original: Original) -> None:
    broken(copy, "UPDATE read.accounts SET balance = balance + 1")
    report = examined(copy)
    assert report["findings"] == []
    [difference] = report["differences"]
    assert difference.startswith(f"account {original.user_id} shows")


def test_a_generation_that_is_not_shown(copy: str, original: Original) -> None:
    broken(copy, "DELETE FROM read.generations WHERE generation_id = %(id)s", id=original.done)
    assert examined(copy)["differences"] == [
        f"generation {original.done} is in the log, and the read models do not show it"
    ]


def test_an_event_that_cannot_be_read(copy: str, original: Original) -> None:
    broken(copy, "UPDATE triptych.events SET data = data - 'credits' WHERE type = 'CreditsRefunded'")
    report = examined(copy)
    assert any("cannot be read" in each for each in report["findings"])


def test_a_projection_that_has_stopped(copy: str, original: Original, tmp_path: Any) -> None:
    broken(copy, "UPDATE read.projections SET state = 'stopped', error = 'no such field' WHERE name = 'work_list'")
    assert any(
        "the projection work_list has stopped: no such field" in each for each in examined(copy)["differences"]
    )
