"""``triptychd serve`` as an operator meets it: what it says when it cannot start, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from service.adapters.embedded.folder import find_postmaster
from tests.support.postgres import PostgresServer, short_folder

PATIENCE_SECONDS = 90.0

pytestmark = pytest.mark.timeout(200)


@contextlib.asynccontextmanager
async def serving(*arguments: str, **settings: str) -> AsyncIterator[Process]:
    """The program, with these settings (without their prefix) and no others."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "serve", *arguments),
        env={**surroundings, **{f"TRIPTYCH_{name}": value for name, value in settings.items()}},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said_and_left(process: Process) -> tuple[int, str]:
    """The exit code and what is on stderr, of a program that ends by itself."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, told = await process.communicate()
    assert process.returncode is not None
    return process.returncode, told.decode()


async def refusal(**settings: str) -> str:
    """The one sentence with which it does not start."""
    async with serving(**{"ROLES": "api", "API_PORT": "0", **settings}) as process:
        code, told = await said_and_left(process)
    sentences = [line for line in told.splitlines() if "[info" not in line]
    assert code == 1
    assert len(sentences) == 1, told
    assert sentences[0].startswith("triptychd: ")
    return sentences[0]


async def test_port_that_is_taken(database: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        said = await refusal(EVENT_STORE=database, DATA_DIR=str(tmp_path), API_PORT=str(port))
    assert f"cannot listen on 127.0.0.1:{port}: the port is taken" in said


async def test_database_without_tables(postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = postgres_server.create_database()
    try:
        said = await refusal(EVENT_STORE=postgres_server.conninfo_for(name), DATA_DIR=str(tmp_path))
    finally:
        postgres_server.drop_database(name)
    assert "run 'triptychd migrate' first" in said


async def test_database_that_is_not_there(tmp_path: Path) -> None:
    said = await refusal(EVENT_STORE="postgresql://nobody@127.0.0.1:1/nothing", DATA_DIR=str(tmp_path))
    assert "PostgreSQL cannot be reached" in said
    assert "127.0.0.1" in said


async def test_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = await refusal(DATA_DIR=str(tmp_path / "file"))
    assert f"TRIPTYCH_DATA_DIR: {tmp_path}/file is a file; name a folder" in said


async def test_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = await refusal(DATA_DIR=str(tmp_path / "file/folder"))
    assert "TRIPTYCH_DATA_DIR: the folder" in said
    assert "cannot be made: Not a directory" in said


async def test_files_of_certificates_that_are_none(tmp_path: Path) -> None:
    names = ("CA_FILE", "API_TLS_CERT_FILE", "API_TLS_KEY_FILE")
    for name in names:
        (tmp_path / name).write_text("no certificate")
    async with serving(**{name: str(tmp_path / name) for name in names}, ROLES="api") as process:
        code, told = await said_and_left(process)
    ca_file, pair = told.splitlines()
    assert code == 1
    assert f"TRIPTYCH_CA_FILE: {tmp_path}/CA_FILE has no certificates in PEM form" in ca_file
    assert "TRIPTYCH_API_TLS_CERT_FILE and TRIPTYCH_API_TLS_KEY_FILE" in pair
    assert "must be a certificate and its key in PEM form" in pair


async def test_keys_that_are_missing(tmp_path: Path) -> None:
    async with serving(DATA_DIR=str(tmp_path)) as process:
        code, told = await said_and_left(process)
    assert code == 1
    assert told.splitlines() == [
        "triptychd: TRIPTYCH_FAL_KEY: is missing; the role worker needs a key for fal",
        "triptychd: TRIPTYCH_OPENAI_API_KEY: is missing; the role worker needs a key for OpenAI",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stops_when_it_is_told_to(database: str, tmp_path: Path, number: signal.Signals) -> None:
    settings = {"EVENT_STORE": database, "DATA_DIR": str(tmp_path), "API_PORT": "0", "ROLES": "api,projector"}
    async with serving("--json", **settings) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await process.stdout.readline()
        process.send_signal(number)
        code, told = await said_and_left(process)
    assert code == 0, told
    assert "Traceback" not in told
    with psycopg.connect(database) as connection:
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'triptych%'"
        assert connection.execute(f"{ours} AND datname = current_database()").fetchone() == (0,)


async def test_stops_while_it_starts() -> None:
    with short_folder() as folder:
        async with serving(DATA_DIR=str(folder / "data"), ROLES="api", API_PORT="0") as process:
            assert process.stderr is not None
            async with asyncio.timeout(PATIENCE_SECONDS):
                while b"embedded_postgres_initialising" not in (line := await process.stderr.readline()):
                    assert line, "it has ended"
            process.send_signal(signal.SIGINT)
            code, told = await said_and_left(process)
        assert code == 0, told
        assert told.splitlines()[-1] == "Stopped before it was up."
        assert find_postmaster(folder / "data/postgres") is None
