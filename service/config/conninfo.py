"""Connection strings of PostgreSQL, as far as they can be checked without connecting."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict


def check_conninfo(value: str) -> str:
    """``value``, which may be empty. Raises ValueError that shows nothing of it: there may be a password in it."""
    if value and not value.startswith(("postgresql://", "postgres://")) and "dbname=" not in value:
        raise ValueError("must be postgresql://user:password@host:port/database, or 'host=... dbname=...'")
    try:
        conninfo_to_dict(value)
    except psycopg.ProgrammingError:
        # The library's own sentence quotes the part that it does not understand.
        raise ValueError(
            "cannot be read: write special characters of the user name and the password percent-encoded, "
            "such as %40 for @"
        ) from None
    return value
