"""A PostgreSQL for the tests: one server a test process, a fresh database a test.

The server is the embedded one, without fsync: it is thrown away. ``TRIPTYCH_TEST_POSTGRES`` (a connection string of
a role that may create databases) names a server to use instead.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.postgres.migrations import migrate

THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "300"}

_ADMIN_DATABASE = "postgres"


class PostgresServer:
    """A running server, by how to reach its databases."""

    def __init__(self, conninfo_for: Callable[[str], str]) -> None:
        self.conninfo_for = conninfo_for

    def create_database(self, template: str | None = None) -> str:
        """Makes a database and returns its name."""
        name = f"test_{uuid.uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._execute(statement)
        return name

    def drop_database(self, name: str) -> None:
        """Also while somebody is connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def create_migrated_database(self) -> str:
        name = self.create_database()
        with ThreadPoolExecutor(1) as thread:  # a loop of its own, wherever the caller's is
            thread.submit(asyncio.run, _migrate(self.conninfo_for(name))).result()
        return name

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.conninfo_for(_ADMIN_DATABASE), autocommit=True, connect_timeout=30) as connection:
            connection.execute(statement)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="triptych-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def run_test_server() -> Iterator[PostgresServer]:
    given = os.environ.get("TRIPTYCH_TEST_POSTGRES")
    if given:
        yield PostgresServer(lambda database: make_conninfo(given, dbname=database))
        return
    folder = Path(tempfile.mkdtemp(prefix="triptych-test-"))
    server = EmbeddedPostgres(folder, settings=THROWAWAY)
    with _guarded(folder):
        try:
            server.start()
            yield PostgresServer(server.conninfo_for)
        finally:
            server.stop()
            shutil.rmtree(folder)


_GUARD = """
import sys
sys.stdin.read()
import shutil
from pathlib import Path
from service.adapters.embedded import EmbeddedPostgres
folder = Path(sys.argv[1])
if (folder / "postgres").exists():
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()
    shutil.rmtree(folder)
"""


@contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """A server outlives a killed owner, by design. Should this process be killed, its guard sees its standard
    input end, adopts the server, stops it and clears up."""
    guard = subprocess.Popen(
        [sys.executable, "-c", _GUARD, str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate(timeout=60)


async def _migrate(conninfo: str) -> None:
    await migrate(conninfo, "events")
    await migrate(conninfo, "read_models")
