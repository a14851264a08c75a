"""The data folder: who holds it, where its socket is, and which processes belong to it.

A pid alone proves nothing: after a crash or a container's restart it may be another program's. A process belongs
to a cluster if it is a ``postgres`` whose working directory is the cluster's folder (PostgreSQL changes into it).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

from service.adapters.embedded.errors import DataFolderInUse, EmbeddedPostgresFailed
from service.adapters.embedded.system_user import SystemUser

PORT = 5432
"""Part of the socket's name only."""
SOCKET = f".s.PGSQL.{PORT}"
_MAX_SOCKET_PATH_BYTES = 103
"""macOS allows 103 bytes, Linux 107."""


class FolderLock:
    """An exclusive flock, released by the kernel when its holder dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        """Raises DataFolderInUse, with the holder's pid where it could be read."""
        # Close-on-exec, as every descriptor of Python's: the server must not inherit the lock.
        self._file = os.open(folder / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.read(self._file, 20).strip()
            os.close(self._file)
            raise DataFolderInUse(folder, int(said) if said.isdigit() else None) from None
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._file)


class Postmaster(NamedTuple):
    """A running server, as its ``postmaster.pid`` describes it."""

    pid: int
    socket_folder: str
    ready: bool


def find_postmaster(cluster: Path) -> Postmaster | None:
    """The server that runs on the cluster, or None."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):  # not there, or just being written
        return None
    try:
        if not _is_postgres_in(psutil.Process(pid), cluster):
            return None
    except psutil.NoSuchProcess:
        return None
    complete = len(lines) >= 8
    return Postmaster(pid, lines[4] if complete else "", complete and lines[7].strip() == "ready" and bool(lines[4]))


def end_orphans(cluster: Path, *, timeout_seconds: float) -> None:
    """After a postmaster was killed: waits for its children, which notice and leave, and kills those that do not.

    A new server cannot start before they are gone. Files that name the dead as running are removed.
    """
    orphans = [each for each in psutil.process_iter() if _is_postgres_in(each, cluster)]
    _, alive = psutil.wait_procs(orphans, timeout=timeout_seconds)
    for each in alive:
        each.kill()
    _, alive = psutil.wait_procs(alive, timeout=timeout_seconds)
    if alive:
        pids = ", ".join(str(each.pid) for each in alive)
        raise EmbeddedPostgresFailed(
            f"ending what is left of a killed server in {cluster}", f"{pids} cannot be killed"
        )
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def socket_folder(cluster: Path, user: SystemUser) -> Path:
    """Where the socket goes: the cluster itself, or a short private folder if that path is too long for one."""
    if len(os.fsencode(cluster / SOCKET)) <= _MAX_SOCKET_PATH_BYTES:
        return cluster
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"triptych-{name}"
    if len(os.fsencode(folder / SOCKET)) > _MAX_SOCKET_PATH_BYTES:
        folder = Path("/tmp") / folder.name  # noqa: S108 - its owner and mode are checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    if user.switch and folder.lstat().st_uid == 0:
        os.chown(folder, user.uid, user.gid)
    status = folder.lstat()
    # In a folder that everyone can write to, someone else may have made it first.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != user.uid or stat.S_IMODE(status.st_mode) != 0o700:
        raise EmbeddedPostgresFailed(
            f"using {folder} for the database's socket",
            f"it must be a folder of user {user.uid} that nobody else can enter; remove it",
        )
    return folder


def remove_socket_folder(cluster: Path, server: Postmaster) -> None:
    """After the server has stopped: its private folder goes too, if it had one and nothing else is in it."""
    folder = Path(server.socket_folder)
    if server.socket_folder and folder != cluster and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _is_postgres_in(process: psutil.Process, cluster: Path) -> bool:
    try:
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == cluster
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
