"""The embedded server's life: one service a folder, adopted or started, watched, stopped.

Everything under it blocks (subprocesses, flock), so the asynchronous side runs it in threads, one at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from service.adapters.embedded.cluster import SUPERUSER, Cluster
from service.adapters.embedded.errors import EmbeddedPostgresError, EmbeddedPostgresFailed
from service.adapters.embedded.folder import PORT, FolderLock, Postmaster, find_postmaster

_log = structlog.get_logger(__name__)

_CLUSTER = "postgres"
_WATCH_INTERVAL_SECONDS = 0.5
_MAX_BACKOFF_SECONDS = 30.0


class EmbeddedPostgres:
    """``async with EmbeddedPostgres(folder) as server: server.conninfo``; ``start`` and ``stop`` without a loop.

    ``settings`` are PostgreSQL's, over our defaults. While entered with ``async with`` the server is also
    watched, and started again should it die.
    """

    def __init__(
        self,
        data_folder: Path,
        *,
        database: str = "triptych",
        settings: Mapping[str, str] | None = None,
        start_timeout_seconds: float = 120,
        stop_timeout_seconds: float = 30,
    ) -> None:
        self._data_folder = data_folder.resolve()
        self._database = database
        self._settings = dict(settings or {})
        self._start_timeout_seconds = start_timeout_seconds
        self._stop_timeout_seconds = stop_timeout_seconds
        self._turn = threading.Lock()
        self._held: tuple[FolderLock, Cluster] | None = None
        self._running: Postmaster | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def conninfo(self) -> str:
        """libpq's connection string of the service's database. The same after every restart."""
        return self.conninfo_for(self._database)

    def conninfo_for(self, database: str) -> str:
        return _conninfo(self._started(), database)

    @property
    def pid(self) -> int:
        """Of the postmaster."""
        return self._started().pid

    def _started(self) -> Postmaster:
        if self._running is None:
            raise EmbeddedPostgresError("the embedded PostgreSQL is not running; start it first")
        return self._running

    def start(self) -> None:
        """Blocks until the server answers. Started again, it only sees to it that the server still runs.

        Raises DataFolderInUse, DataFolderNotOurs, DataFolderVersionMismatch, EmbeddedPostgresFailed.
        """
        with self._turn:
            if self._held is not None:
                self._ensure_running()
                return
            lock = self._lock_folder()
            try:
                self._held = lock, self._open_cluster()
                self._ensure_running()
            except BaseException:
                self._let_go(lock)
                raise

    def _lock_folder(self) -> FolderLock:
        try:
            self._data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return FolderLock(self._data_folder)
        except OSError as error:
            raise EmbeddedPostgresFailed(f"using the data folder {self._data_folder}", str(error)) from error

    def _open_cluster(self) -> Cluster:
        cluster = Cluster(
            self._data_folder / _CLUSTER,
            settings=self._settings,
            start_timeout_seconds=self._start_timeout_seconds,
            stop_timeout_seconds=self._stop_timeout_seconds,
        )
        cluster.ensure_made()
        return cluster

    def _ensure_running(self) -> None:
        if self._held is None:  # stopped meanwhile
            return
        _, cluster = self._held
        found = cluster.ensure_running()
        if found != self._running:
            _log.info("embedded_postgres_runs", pid=found.pid, folder=str(self._data_folder))
        self._running = found
        _ensure_database(found, self._database)

    def stop(self) -> None:
        """Stops the server and gives the folder free; harmless when it does not run. Bounded."""
        with self._turn:
            if self._held is not None:
                self._let_go(self._held[0])

    def _let_go(self, lock: FolderLock) -> None:
        try:
            if self._held is not None:
                self._held[1].shut_down()
        finally:
            self._held = self._running = None
            lock.release()

    async def __aenter__(self) -> Self:
        starting = asyncio.create_task(asyncio.to_thread(self.start))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be cancelled: let it end, so that what it started can be stopped.
            with suppress(EmbeddedPostgresError):
                await starting
            await asyncio.to_thread(self.stop)
            raise
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        await asyncio.shield(asyncio.to_thread(self.stop))

    async def _watch(self) -> None:
        pause_seconds = _WATCH_INTERVAL_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            if find_postmaster(self._data_folder / _CLUSTER) is not None:
                pause_seconds = _WATCH_INTERVAL_SECONDS
                continue
            _log.warning("embedded_postgres_died", folder=str(self._data_folder))
            try:
                await asyncio.to_thread(self._revive)
                pause_seconds = _WATCH_INTERVAL_SECONDS
            except EmbeddedPostgresError as error:
                pause_seconds = min(2 * pause_seconds, _MAX_BACKOFF_SECONDS)
                _log.error("embedded_postgres_not_restarted", why=str(error), retry_in_seconds=pause_seconds)

    def _revive(self) -> None:
        with self._turn:
            self._ensure_running()


def running_conninfo(data_folder: Path, database: str = "triptych") -> str | None:
    """How to reach the server that another process of the service runs in that folder; None if none is ready."""
    found = find_postmaster(data_folder.resolve() / _CLUSTER)
    return _conninfo(found, database) if found is not None and found.ready else None


def _conninfo(server: Postmaster, database: str) -> str:
    return make_conninfo(host=server.socket_folder, port=PORT, user=SUPERUSER, dbname=database)


def _ensure_database(server: Postmaster, name: str) -> None:
    try:
        with psycopg.connect(_conninfo(server, SUPERUSER), autocommit=True, connect_timeout=30) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise EmbeddedPostgresFailed(f"making the database {name}", str(error)) from error
