"""The main job, refunds, kills and restarts with the log in KurrentDB (here: a server of its protocol) and the read
models in PostgreSQL. The stories are those that are told of PostgreSQL too."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from clients.sdk import AsyncTriptych, GenerationState
from demo.processes import StartFailed, running
from sandbox.control import SandboxControl
from tests.e2e.test_cancel_and_refund import (
    test_a_refund_by_hand_is_made_once,
    test_cancelled_while_it_waits_at_the_vendor,
)
from tests.e2e.test_main_job import (
    test_a_grant_counts_once,
    test_a_picture_from_a_plain_sentence,
    test_beyond_the_balance_nothing_is_taken,
    test_everybody_reads_what_was_written,
    test_gallery_statement_and_files,
    test_many_at_once_never_overdraw,
    test_the_same_request_twice_is_one_picture_and_one_charge,
    test_two_of_four,
    test_what_cannot_be_made_is_paid_back_in_full,
)
from tests.support.following import PATIENCE_SECONDS, balance, end_of, jobs_of, once
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.postgres import PostgresServer, short_folder
from tests.support.read_models import eventually
from tests.support.system import RunningSystem, new_user, running_system

__all__ = [
    "test_a_grant_counts_once",
    "test_a_picture_from_a_plain_sentence",
    "test_a_refund_by_hand_is_made_once",
    "test_beyond_the_balance_nothing_is_taken",
    "test_cancelled_while_it_waits_at_the_vendor",
    "test_everybody_reads_what_was_written",
    "test_gallery_statement_and_files",
    "test_many_at_once_never_overdraw",
    "test_the_same_request_twice_is_one_picture_and_one_charge",
    "test_two_of_four",
    "test_what_cannot_be_made_is_paid_back_in_full",
]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def kurrentdb() -> Iterator[KurrentDBProcess]:
    with short_folder() as folder, KurrentDBProcess(folder) as process:
        yield process


@pytest.fixture(scope="module")
def system(
    postgres_server: PostgresServer, postgres_template: str, kurrentdb: KurrentDBProcess
) -> Iterator[RunningSystem]:
    """In place of the one that the other end-to-end tests share."""
    with running_system(postgres_server, postgres_template, event_store=kurrentdb) as running_one:
        yield running_one


async def triptychd(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """Runs a command beside the service: exit code, stdout, and stderr in one line."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "service", *arguments],
        env={**surroundings, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, " ".join(done.stderr.split())


async def test_doctor_recounts_the_log_and_names_the_server(
    triptych: AsyncTriptych, system: RunningSystem, anna: str
) -> None:
    done = await triptych.generate(anna, "imagen4", "a fox", enhance_prompt=False)
    assert done.state is GenerationState.SUCCEEDED
    code, out, said = await triptychd(system.environment, "doctor", "--json")
    assert code == 0, out + said
    assert msgspec.json.decode(out)["event_store"].startswith("KurrentDB 25.1")


async def test_an_older_gallery_comes_in_once(
    triptych: AsyncTriptych, system: RunningSystem, anna: str, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "sea.png")
    source = tmp_path / "old.csv"
    source.write_text(f"id,user_id,created_at,image_path,prompt\n7,{anna},2023-05-01,sea.png,the sea\n")
    totals = []
    for _ in range(2):
        command = ("import", "--from", str(source), "--media-root", str(tmp_path), "--json")
        code, out, said = await triptychd(system.environment, *command)
        assert code == 0, out + said
        totals.append(msgspec.json.decode(out)["totals"])
    assert [(each["imported"], each["present"]) for each in totals] == [(1, 0), (0, 1)]

    async def listed() -> bool:
        return bool((await triptych.list_items(anna)).items)

    await eventually(listed, "the picture is in the gallery")
    [item] = (await triptych.list_items(anna)).items
    assert (item.type, item.prompt, item.imported) == ("avatar", "the sea", True)


async def test_a_read_model_is_rebuilt_beside_the_one_that_serves(
    triptych: AsyncTriptych, system: RunningSystem, anna: str
) -> None:
    done = await triptych.generate(anna, "imagen4", "an owl", enhance_prompt=False)
    code, _, said = await triptychd(system.environment, "projections", "rebuild", "gallery")
    assert (code, "gallery is rebuilt and serves" in said) == (0, True), said
    shown = [item.item_id async for item in triptych.iter_items(anna)]
    assert shown == [item.item_id for item in done.items]


async def test_read_models_that_serve_are_not_dropped(system: RunningSystem) -> None:
    code, _, said = await triptychd(system.environment, "projections", "reset", "--yes")
    assert (code, "stop every process of it first" in said) == (1, True), said


async def test_a_server_that_is_too_old_is_refused_in_plain_words(
    system: RunningSystem, kurrentdb: KurrentDBProcess
) -> None:
    now = await kurrentdb.set_faults()
    await kurrentdb.set_faults(version="24.10.4")
    try:
        code, _, said = await triptychd(system.environment, "doctor", "--json")
    finally:
        await kurrentdb.set_faults(version=now.version)
    assert (code, "the event store is KurrentDB 24.10.4; it must be 25.1 or newer" in said) == (1, True), said


async def test_a_killed_database_is_waited_for_and_nothing_is_lost(
    triptych: AsyncTriptych, control: SandboxControl, kurrentdb: KurrentDBProcess, anna: str
) -> None:
    # Its picture cannot be fetched yet: so it is in the middle when the database dies.
    await control.fail_next("media", "http_503", count=100_000, match=anna)
    requested = await triptych.request_generation(anna, "imagen4", f"lighthouse {anna}", enhance_prompt=False)
    await once(triptych, requested.generation, GenerationState.SUBMITTED)
    await asyncio.to_thread(kurrentdb.kill)
    await asyncio.to_thread(kurrentdb.start)
    await control.clear_faults()
    done = await end_of(triptych, requested.generation)
    assert (done.state, len(done.items)) == (GenerationState.SUCCEEDED, 1)
    assert await balance(triptych, anna) == 95
    assert len(await jobs_of(control, anna)) == 1


@pytest.fixture
def mortal(
    postgres_server: PostgresServer, postgres_template: str
) -> Iterator[tuple[RunningSystem, KurrentDBProcess]]:
    """A system of its own, that may be killed."""
    with (
        short_folder() as folder,
        KurrentDBProcess(folder) as process,
        running_system(postgres_server, postgres_template, event_store=process) as mortal_one,
    ):
        yield mortal_one, process


async def test_service_and_database_killed_together_go_on_where_they_were(
    mortal: tuple[RunningSystem, KurrentDBProcess], tmp_path: Path
) -> None:
    system, kurrentdb = mortal
    user_id = new_user()
    async with SandboxControl(system.control_url) as control:
        async with AsyncTriptych(system.address, timeout_seconds=PATIENCE_SECONDS) as triptych:
            await control.fail_next("media", "http_503", count=100_000, match=user_id)
            await triptych.grant_credits(user_id, 100)
            requested = await triptych.request_generation(
                user_id,
                "imagen4",
                f"lighthouse {user_id} [sandbox:two-of-four]",
                output_count=4,
                enhance_prompt=False,
            )
            await once(triptych, requested.generation, GenerationState.SUBMITTED)
        system.service.kill()
        await asyncio.to_thread(kurrentdb.kill)
        await asyncio.to_thread(kurrentdb.start)
        await control.clear_faults()
        with serving(system.environment, tmp_path) as address:
            async with AsyncTriptych(address, timeout_seconds=PATIENCE_SECONDS) as triptych:
                done = await end_of(triptych, requested.generation)
                assert (done.state, len(done.items)) == (GenerationState.SUCCEEDED, 2)
                assert await balance(triptych, user_id) == 90
                shown = [item async for item in triptych.iter_items(user_id)]
                assert {each.item_id for each in shown} == {each.item_id for each in done.items}
            assert len(await jobs_of(control, user_id)) == 1
    await refused_on_another_log_until_reset(system, tmp_path)


@contextmanager
def serving(environment: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The service, again; its address."""
    with running("service", ["serve", "--json"], environment=environment, log_file=folder / "log") as part:
        yield part.ready["api"]


async def refused_on_another_log_until_reset(system: RunningSystem, folder: Path) -> None:
    """Read models that were built from one log are not mixed with another."""
    with short_folder() as other, KurrentDBProcess(other) as empty:
        environment = {**system.environment, "TRIPTYCH_EVENT_STORE": empty.connection_string}
        with pytest.raises(StartFailed, match="built from another log"), serving(environment, folder):
            pass
        code, _, said = await triptychd(environment, "projections", "reset", "--yes")
        assert code == 0, said
        with serving(environment, folder) as address:
            async with AsyncTriptych(address, timeout_seconds=PATIENCE_SECONDS) as triptych:
                user_id = new_user()
                await triptych.grant_credits(user_id, 5)
                assert await balance(triptych, user_id) == 5
