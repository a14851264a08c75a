"""Connection strings of the databases, as far as they can be checked without connecting.

None of these checks shows anything of a value that it refuses: there may be a password in it.
"""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict

_POSTGRESQL = "postgresql://user:password@host:port/database, or 'host=... dbname=...'"
_KURRENTDB_SCHEMES = ("kurrentdb", "kdb", "esdb")


def names_kurrentdb(value: str) -> bool:
    """Whether this is a connection string of KurrentDB (EventStoreDB, as it was called); anything else is
    PostgreSQL's."""
    scheme, found, _ = value.partition("://")
    return bool(found) and scheme.removesuffix("+discover") in _KURRENTDB_SCHEMES


def check_conninfo(value: str) -> str:
    """``value``, which may be empty. Raises ValueError."""
    if value and not value.startswith(("postgresql://", "postgres://")) and "dbname=" not in value:
        raise ValueError(f"must be {_POSTGRESQL}")
    try:
        conninfo_to_dict(value)
    except psycopg.ProgrammingError:
        # The library's own sentence quotes the part that it does not understand.
        raise ValueError(
            "cannot be read: write special characters of the user name and the password percent-encoded, "
            "such as %40 for @"
        ) from None
    return value


def check_event_store(value: str) -> str:
    """``value``, which may be empty and may name KurrentDB. Raises ValueError."""
    if names_kurrentdb(value):
        return _check_kurrentdb(value)
    if value and "://" in value and not value.startswith(("postgresql://", "postgres://")):
        raise ValueError(f"must be {_POSTGRESQL}, or kurrentdb://user:password@host:port")
    return check_conninfo(value)


def _check_kurrentdb(value: str) -> str:
    from kurrentdbclient.connection_spec import ConnectionSpec  # Slow to load; only KurrentDB's users need it.

    try:
        spec = ConnectionSpec(value)
    except ValueError as error:
        # The library's sentences name what is wrong and end with the whole string.
        why = str(error).replace(value, "").strip(" :")
        raise ValueError(
            f"cannot be read as a connection string of KurrentDB ({why[:1].lower()}{why[1:]}); such as "
            "kurrentdb://user:password@host:port, special characters percent-encoded, with ?tls=false for a server "
            "without TLS"
        ) from None
    if spec.options.node_preference != "leader":
        raise ValueError("nodePreference must be leader: commands are decided on what was written last")
    return value
