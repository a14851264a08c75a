"""What a measuring function is given: sizes, an own database, the seeded log, and a way to say what it does.

Databases are on one embedded PostgreSQL with its defaults, so with fsync on. The seeded log has a data folder of its
own, as a user of the service would have it; it is made once a run, when the first case asks for it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.postgres.migrations import migrate

T = TypeVar("T")
SEED = 1
SETTINGS = {"max_connections": "400"}
"""Beside the embedded server's defaults: both sides of a round have pools."""


class History(NamedTuple):
    """A seeded log in a data folder whose server runs."""

    folder: Path
    conninfo: str
    events: int

    @property
    def environment(self) -> dict[str, str]:
        """For a part of the service that uses the running server."""
        return environment_of(self.folder, self.conninfo)


class Bench:
    """``async with Bench(quick=..., tell=...) as bench``. Everything it made is gone at the end."""

    def __init__(self, *, quick: bool, tell: Callable[[str], None] = lambda text: None) -> None:
        self.quick = quick
        self.rounds = 1
        """How many rounds the running case is to yield for each of its rows."""
        self.tell = tell
        """Shows beside the progress bar what is being done."""
        self._stack = AsyncExitStack()
        self._server: EmbeddedPostgres | None = None
        self._history: tuple[Path, int] | None = None
        self._databases = 0

    async def __aenter__(self) -> Self:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="triptych-bench-")))
        """For whatever a case writes; short enough for a socket's path."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def size(self, *, full: T, quick: T) -> T:
        """One of the two, by how the run was asked for."""
        return quick if self.quick else full

    async def database(self, *, migrated: bool = True) -> str:
        """The connection string of a new database; ``migrated`` has the service's tables."""
        if self._server is None:
            self._server = await self._stack.enter_async_context(
                EmbeddedPostgres(self.folder / "server", settings=SETTINGS)
            )
        self._databases += 1
        name = f"bench_{self._databases}"
        admin = self._server.conninfo_for("postgres")
        async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
            await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        conninfo = self._server.conninfo_for(name)
        if migrated:
            await migrate(conninfo, "events")
            await migrate(conninfo, "read_models")
        return conninfo

    async def history_folder(self) -> Path:
        """The data folder of the seeded log (1M events; 20k in a quick run). Its server does not run."""
        if self._history is None:
            events = self.size(full=1_000_000, quick=20_000)
            folder = self.folder / "history"
            self.tell(f"seeding a log of {events:,} events")
            async with EmbeddedPostgres(folder) as server:
                await migrate(server.conninfo, "events")
                await migrate(server.conninfo, "read_models")
                self._history = folder, await seed(server.conninfo, folder, events)
        return self._history[0]

    @asynccontextmanager
    async def history(self) -> AsyncIterator[History]:
        """The seeded log, with its server running for as long as the block."""
        folder = await self.history_folder()
        assert self._history is not None
        async with EmbeddedPostgres(folder) as server:
            yield History(folder, server.conninfo, self._history[1])


def triptychd(arguments: list[str], folder: Path, conninfo: str | None = None) -> None:
    """Runs a command of the service on a data folder, and on a running server if there is one.

    Raises CalledProcessError, with what the command wrote in its notes.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    settings = {"TRIPTYCH_DATA_DIR": str(folder)} if conninfo is None else environment_of(folder, conninfo)
    command = [sys.executable, "-m", "service", *arguments]
    done = subprocess.run(command, check=False, env={**surroundings, **settings}, capture_output=True, text=True)
    if done.returncode:
        error = subprocess.CalledProcessError(done.returncode, command)
        error.add_note(done.stderr)
        raise error


async def seed(conninfo: str, folder: Path, events: int) -> int:
    """Writes a history of about so many events, always the same, into a migrated database; how many they are."""
    arguments = ["seed", "--events", str(events), "--seed", str(SEED)]
    await asyncio.to_thread(triptychd, arguments, folder, conninfo)
    return await count_events(conninfo)


def environment_of(folder: Path, conninfo: str) -> dict[str, str]:
    """The settings of a part of the service that uses a running server; it listens on a free port."""
    return {"TRIPTYCH_DATA_DIR": str(folder), "TRIPTYCH_EVENT_STORE": as_url(conninfo), "TRIPTYCH_API_PORT": "0"}


def as_url(conninfo: str) -> str:
    """A connection string as an address, as the service's settings take it."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    return f"postgresql:///{quote(parameters.pop('dbname'))}?{urlencode(parameters)}"


async def count_events(conninfo: str) -> int:
    """Of the log in a database."""
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        row = await (await connection.execute("SELECT count(*) FROM triptych.events")).fetchone()
    assert row is not None
    return int(row[0])
