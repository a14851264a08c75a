"""Files that Telegram has already: what was sent once is sent again by its id, without its bytes."""

from __future__ import annotations

from typing import Literal

import aiosqlite

Kind = Literal["photo", "video", "document"]


class FileIds:
    """The table ``files``. An id is good for one bot, and so is the database; the media's key never changes."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def get(self, media_key: str, kind: Kind) -> str | None:
        cursor = await self._connection.execute(
            "select file_id from files where media_key = ? and kind = ?", (media_key, kind)
        )
        row = await cursor.fetchone()
        return str(row[0]) if row else None

    async def put(self, media_key: str, kind: Kind, file_id: str) -> None:
        await self._connection.execute(
            "insert or replace into files (media_key, kind, file_id) values (?, ?, ?)", (media_key, kind, file_id)
        )

    async def forget(self, media_key: str, kind: Kind) -> None:
        await self._connection.execute("delete from files where media_key = ? and kind = ?", (media_key, kind))
