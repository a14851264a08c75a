"""What each chat looks at: its gallery message and its statement message."""

from __future__ import annotations

from typing import TypeVar

import aiosqlite
import msgspec

from clients.telegram.views import StatementView, View

V = TypeVar("V", View, StatementView)


class Chats:
    """The table ``chats``: one row for each kind of view of a chat."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def load(self, chat_id: int, kind: type[V]) -> V | None:
        cursor = await self._connection.execute(
            "select body from chats where chat_id = ? and name = ?", (chat_id, kind.__name__)
        )
        row = await cursor.fetchone()
        return msgspec.json.decode(row[0], type=kind) if row else None

    async def save(self, chat_id: int, view: V) -> None:
        await self._connection.execute(
            "insert or replace into chats (chat_id, name, body) values (?, ?, ?)",
            (chat_id, type(view).__name__, msgspec.json.encode(view).decode()),
        )
