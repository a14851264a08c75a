"""Orders that are being made, with the message that shows how each stands, until their end was told."""

from __future__ import annotations

import aiosqlite
import msgspec

from clients.words import Language


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was sent from a chat."""

    generation_id: str
    chat_id: int
    user_id: str
    language: Language
    message_id: int
    """Of the message that shows how it stands."""
    sent_item_ids: tuple[str, ...] = ()
    """What of it has been sent to the chat."""


class Orders:
    """The table ``orders``."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def save(self, order: Followed) -> None:
        await self._connection.execute(
            "insert or replace into orders (generation_id, body) values (?, ?)",
            (order.generation_id, msgspec.json.encode(order).decode()),
        )

    async def remove(self, generation_id: str) -> None:
        await self._connection.execute("delete from orders where generation_id = ?", (generation_id,))

    async def get(self, generation_id: str) -> Followed | None:
        cursor = await self._connection.execute("select body from orders where generation_id = ?", (generation_id,))
        row = await cursor.fetchone()
        return msgspec.json.decode(row[0], type=Followed) if row else None

    async def all(self) -> list[Followed]:
        cursor = await self._connection.execute("select body from orders order by rowid")
        return [msgspec.json.decode(body, type=Followed) for (body,) in await cursor.fetchall()]
