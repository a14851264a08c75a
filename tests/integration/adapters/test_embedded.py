"""The embedded PostgreSQL, with real processes: started, adopted, killed, refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from service.adapters.embedded import (
    DataFolderInUse,
    DataFolderNotOurs,
    DataFolderVersionMismatch,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    EmbeddedPostgresFailed,
    running_conninfo,
)
from tests.support.log import until
from tests.support.postgres import THROWAWAY, short_folder

ROOT = Path(__file__).parents[3]
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def _ask(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=30) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def _is_gone(pid: int) -> bool:
    """Ended, though its entry may wait to be collected."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _service(folder: Path, settings: Mapping[str, str] = THROWAWAY) -> subprocess.Popen[str]:
    """Another process that runs the server until its standard input ends; says the server's pid when it is up."""
    program = textwrap.dedent(
        """
        import json, sys
        from pathlib import Path
        from service.adapters.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(Path(sys.argv[1]), settings=json.loads(sys.argv[2]))
        server.start()
        print("up", server.pid, file=sys.stderr, flush=True)
        sys.stdin.read()
        server.stop()
        """
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), json.dumps(settings)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _wait_until_up(service: subprocess.Popen[str]) -> int:
    assert service.stderr is not None
    said = service.stderr.readline()
    assert said.startswith("up "), said + service.stderr.read()
    return int(said.split()[1])


async def test_it_keeps_what_was_written_and_listens_on_no_port(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'ы' AS letter")
        assert _ask(server.conninfo, "SHOW fsync") == "on"
        assert _ask(server.conninfo, "SHOW listen_addresses") == ""
        assert _ask(server.conninfo, "SELECT current_database()") == "triptych"
        assert _ask(server.conninfo, "SELECT upper('ы')") == "Ы"
        assert running_conninfo(folder) == server.conninfo
        pid = server.pid
    assert _is_gone(pid)
    assert running_conninfo(folder) is None

    async with EmbeddedPostgres(folder) as server:
        assert _ask(server.conninfo, "SELECT letter FROM kept") == "ы"


def test_nobody_else_can_reach_it(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    try:
        sockets = Path(str(_ask(server.conninfo, "SHOW unix_socket_directories")))
        assert sockets.stat().st_mode & 0o077 == 0
        assert (folder / "postgres").stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_a_second_service_is_refused_with_the_firsts_pid(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    try:
        with pytest.raises(DataFolderInUse, match=f"in use by process {os.getpid()}") as refused:
            EmbeddedPostgres(folder).start()
        assert refused.value.pid == os.getpid()
    finally:
        server.stop()


def test_a_server_that_a_killed_service_left_is_adopted(folder: Path) -> None:
    service = _service(folder)
    pid = _wait_until_up(service)
    service.kill()
    service.communicate(timeout=60)
    assert psutil.pid_exists(pid)

    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    try:
        assert server.pid == pid
        assert _ask(server.conninfo, "SELECT 1") == 1
    finally:
        server.stop()
    assert _is_gone(pid)


def test_everything_killed_at_once_starts_again(folder: Path) -> None:
    service = _service(folder, {})
    pid = _wait_until_up(service)
    conninfo = running_conninfo(folder)
    assert conninfo is not None
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    service.kill()
    os.kill(pid, signal.SIGKILL)
    service.communicate(timeout=60)

    server = EmbeddedPostgres(folder)
    server.start()
    try:
        assert server.pid != pid
        assert _ask(server.conninfo, "SELECT n FROM kept") == 1
    finally:
        server.stop()


async def test_a_server_that_is_killed_is_started_again(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        conninfo, killed = server.conninfo, server.pid
        os.kill(killed, signal.SIGKILL)
        await until(lambda: server.pid != killed)
        assert server.conninfo == conninfo
        assert await asyncio.to_thread(_ask, conninfo, "SELECT 1") == 1


def test_a_pid_that_another_program_has_by_now_is_no_obstacle(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    file = folder / "postgres" / "postmaster.pid"
    lines = file.read_text().splitlines()
    server.stop()
    file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    os.chown(file, (folder / "postgres").stat().st_uid, -1)

    server.start()
    try:
        assert server.pid != os.getpid()
    finally:
        server.stop()


def test_making_a_cluster_that_was_cut_short_is_begun_anew(folder: Path) -> None:
    unfinished = folder / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    server.stop()
    assert not unfinished.exists()


def test_a_path_too_long_for_a_socket_still_works(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long ' name " * 10), settings=THROWAWAY)
    server.start()
    try:
        sockets = Path(str(_ask(server.conninfo, "SHOW unix_socket_directories")))
        assert folder not in sockets.parents
        assert sockets.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    assert not sockets.exists()


def test_another_major_version_is_refused_in_words(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    server.start()
    server.stop()
    (folder / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(
        DataFolderVersionMismatch, match=r"written by PostgreSQL 12, and this service brings"
    ) as refused:
        server.start()
    assert refused.value.found == "12"


def test_a_bad_setting_fails_with_what_postgresql_says(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings={**THROWAWAY, "shared_buffers": "plenty"})
    with pytest.raises(EmbeddedPostgresFailed, match="shared_buffers"):
        server.start()
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        _ = server.conninfo
    server = EmbeddedPostgres(folder, settings=THROWAWAY)  # the folder was given free
    server.start()
    server.stop()


def test_a_folder_that_cannot_be_made_is_said(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(EmbeddedPostgresFailed, match="file/data"):
        EmbeddedPostgres(folder / "file" / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")
def test_root_runs_it_as_an_unprivileged_user(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data", settings=THROWAWAY)
    server.start()
    try:
        assert psutil.Process(server.pid).uids().effective != 0
        assert closed.stat().st_mode & 0o007 == 0, "others cannot enter what was closed to them"
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_ordinary_user_runs_it_as_itself(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    program = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        import psutil
        from service.adapters.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(Path(sys.argv[1]))
        server.start()
        assert psutil.Process(server.pid).uids().effective == os.geteuid() != 0
        server.stop()
        """
    )
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": ROOT, "capture_output": True}
    try:
        done = subprocess.run(  # type: ignore[call-overload]
            [sys.executable, "-c", program, str(folder)], check=False, text=True, timeout=100, **as_nobody
        )
    except PermissionError:
        pytest.skip("an ordinary user cannot reach this Python")
    assert done.returncode == 0, done.stderr

    os.chown(folder / "postgres", 0, 0)
    with pytest.raises(DataFolderNotOurs, match="belongs to the system user with id 0"):
        EmbeddedPostgres(folder).start()
