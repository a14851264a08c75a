"""The SQLite file: opened, brought up to date, closed.

Each statement is a transaction of its own (autocommit): calls of many chats take turns on one connection, and a
transaction over several statements would take in those of others. With the write-ahead log a killed process loses
nothing that was written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

BUSY_TIMEOUT_SECONDS = 10.0
SCHEMA = """
create table if not exists updates (
    update_id integer primary key, body text not null, handled integer not null default 0
) strict;
create index if not exists updates_unhandled on updates (update_id) where not handled;
create table if not exists dialogues (name text primary key, state text, data text not null) strict;
create table if not exists orders (generation_id text primary key, body text not null) strict;
create table if not exists chats (
    chat_id integer not null, name text not null, body text not null, primary key (chat_id, name)
) strict;
create table if not exists files (
    media_key text not null, kind text not null, file_id text not null, primary key (media_key, kind)
) strict;
"""


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """The database at ``path``, made if there is none. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = await aiosqlite.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    try:
        await connection.execute("pragma journal_mode = wal")
        await connection.executescript(SCHEMA)
        yield connection
    finally:
        await connection.close()
