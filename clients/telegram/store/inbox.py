"""Updates that came, until they are handled.

Telegram sends an update until it is told that it came. It is told so only after the update is kept here, so that a
crash loses none; and what is here already is not taken twice. Handled ones stay for a while to be known again.
"""

from __future__ import annotations

from collections.abc import Sequence

import aiosqlite
from aiogram import Bot
from aiogram.types import Update

KEPT_HANDLED = 10_000


class Inbox:
    """The table ``updates``."""

    def __init__(self, connection: aiosqlite.Connection, bot: Bot) -> None:
        self._connection = connection
        self._bot = bot

    async def keep(self, updates: Sequence[Update]) -> list[Update]:
        """Keeps them, and returns those that are new."""
        new = []
        for update in updates:
            body = update.model_dump_json(exclude_none=True, by_alias=True, warnings=False)
            cursor = await self._connection.execute(
                "insert or ignore into updates (update_id, body) values (?, ?)", (update.update_id, body)
            )
            if cursor.rowcount:
                new.append(update)
        return new

    async def unhandled(self) -> list[Update]:
        """What was kept and not handled before the last stop, in the order in which it came."""
        cursor = await self._connection.execute("select body from updates where not handled order by update_id")
        return [Update.model_validate_json(body, context={"bot": self._bot}) for (body,) in await cursor.fetchall()]

    async def handled(self, update_id: int) -> None:
        await self._connection.execute("update updates set handled = 1, body = '' where update_id = ?", (update_id,))

    async def forget_old(self) -> None:
        """Forgets handled ones beyond the newest ``KEPT_HANDLED``."""
        await self._connection.execute(
            "delete from updates where handled and update_id <= "
            "(select update_id from updates order by update_id desc limit 1 offset ?)",
            (KEPT_HANDLED,),
        )
