"""A database cluster in its folder: made, started and shut down with PostgreSQL's own programs.

A new cluster is made beside its place and then renamed into it, so that one whose making was cut short is never
taken for a whole one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from service.adapters.embedded.errors import DataFolderVersionMismatch, EmbeddedPostgresFailed
from service.adapters.embedded.folder import (
    PORT,
    Postmaster,
    end_orphans,
    find_postmaster,
    remove_socket_folder,
    socket_folder,
)
from service.adapters.embedded.programs import Programs
from service.adapters.embedded.system_user import let_pass, user_for

_log = structlog.get_logger(__name__)

SUPERUSER = "postgres"

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # Enough for some twenty processes of the service (docs/processes.md); one that nobody uses costs about 20 kB.
    "max_connections": "500",
    "fsync": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    # A week of logs, a file a weekday, each overwritten the week after.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
if sys.platform == "linux":
    # After a crash: one call for the file system instead of one for each of a thousand files.
    _SETTINGS["recovery_init_sync_method"] = "syncfs"


class Cluster:
    """The cluster in ``folder`` (an absolute path); whoever uses this holds the data folder's lock."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str],
        start_timeout_seconds: float,
        stop_timeout_seconds: float,
    ) -> None:
        """``settings`` are PostgreSQL's, over the defaults above. Raises DataFolderNotOurs."""
        self._folder = folder
        self._settings = {**_SETTINGS, **settings}
        self._start_timeout_seconds = start_timeout_seconds
        self._stop_timeout_seconds = stop_timeout_seconds
        self._user = user_for(folder)
        self._programs = Programs(self._user)

    def ensure_made(self) -> None:
        """Raises DataFolderVersionMismatch, EmbeddedPostgresFailed."""
        if self._user.switch:
            let_pass(self._user, self._folder)
        brought = self._programs.major_version()
        if not self._folder.exists():
            _log.info("embedded_postgres_initialising", folder=str(self._folder), version=brought)
            self._make()
            return
        found = (self._folder / "PG_VERSION").read_text().strip()
        if found != brought:
            raise DataFolderVersionMismatch(self._folder, found, brought)

    def _make(self) -> None:
        unfinished = self._folder.with_name("postgres.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        if self._user.switch:
            os.chown(unfinished, self._user.uid, self._user.gid)
        # The builtin locale knows upper and lower case of all letters and needs nothing of the machine.
        locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        sync = ["--sync-method=syncfs"] if sys.platform == "linux" else []
        if self._settings["fsync"] != "on":
            sync = ["--no-sync"]
        self._programs.run(
            "initdb",
            ["-D", str(unfinished), "-U", SUPERUSER, "--auth=trust", *locale, *sync],
            doing=f"making a database cluster in {unfinished}",
            timeout_seconds=self._start_timeout_seconds,
        )
        unfinished.rename(self._folder)
        _sync_folder(self._folder.parent)

    def ensure_running(self) -> Postmaster:
        """Adopts the server that runs on the cluster, or starts one. Raises EmbeddedPostgresFailed."""
        found = self._settled()
        if found is not None:
            return found
        end_orphans(self._folder, timeout_seconds=self._stop_timeout_seconds)
        self._launch()
        found = self._settled()
        if found is None:
            raise EmbeddedPostgresFailed("starting PostgreSQL", self._startup_log())
        return found

    def _settled(self) -> Postmaster | None:
        """The running server once it is ready, or None once there is none: it may be starting or stopping."""
        deadline = time.monotonic() + self._start_timeout_seconds
        while (found := find_postmaster(self._folder)) is not None and not found.ready:
            if time.monotonic() > deadline:
                raise EmbeddedPostgresFailed(
                    f"waiting for the server that runs on {self._folder}",
                    f"process {found.pid} is neither ready nor gone after {self._start_timeout_seconds:g} s",
                )
            time.sleep(0.05)
        return found

    def _launch(self) -> None:
        sockets = socket_folder(self._folder, self._user)
        for left in sockets.glob(".s.PGSQL.*"):  # a killed server's; the lock beside it may name a reused pid
            left.unlink()
        settings = {**self._settings, "unix_socket_directories": str(sockets)}
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
        log = self._folder / "startup.log"
        log.unlink(missing_ok=True)
        wait = ["-w", "-t", f"{self._start_timeout_seconds:.0f}"]
        try:
            self._programs.run(
                "pg_ctl",
                ["-D", str(self._folder), *wait, "-l", str(log), "-o", options, "start"],
                doing="starting PostgreSQL",
                timeout_seconds=self._start_timeout_seconds + 10,
            )
        except EmbeddedPostgresFailed as error:
            raise EmbeddedPostgresFailed(error.doing, error.output + self._startup_log()) from error

    def _startup_log(self) -> str:
        log = self._folder / "startup.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""

    def shut_down(self) -> None:
        """Fast (open transactions are rolled back), and if that takes too long, without a checkpoint."""
        if (found := find_postmaster(self._folder)) is None:
            return
        try:
            self._shut_down("fast")
        except EmbeddedPostgresFailed as error:
            _log.warning("embedded_postgres_slow_to_stop", why=str(error))
            self._shut_down("immediate")
        remove_socket_folder(self._folder, found)

    def _shut_down(self, mode: str) -> None:
        wait = ["-w", "-t", f"{self._stop_timeout_seconds:.0f}"]
        self._programs.run(
            "pg_ctl",
            ["-D", str(self._folder), *wait, "-m", mode, "stop"],
            doing=f"stopping PostgreSQL ({mode})",
            timeout_seconds=self._stop_timeout_seconds + 10,
        )


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
