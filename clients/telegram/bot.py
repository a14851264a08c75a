"""What the handlers share, and who is talking to them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.types import TelegramObject, User

from clients.sdk import AsyncTriptych, Catalog, GenerationType, RetryPolicy
from clients.telegram.settings import TelegramSettings
from clients.telegram.store.chats import Chats
from clients.telegram.store.file_ids import FileIds
from clients.telegram.store.orders import Orders
from clients.telegram.words import WORDS
from clients.words import Language, Words, language_of

CATALOG_SECONDS = 60.0
WATCHED_ONCE = RetryPolicy(max_attempts=1)


@dataclass(frozen=True)
class Person:
    """Somebody in their chat with the bot."""

    chat_id: int
    user_id: str
    """The Triptych user, not Telegram's number."""
    words: Words

    @property
    def language(self) -> Language:
        return self.words.language


@dataclass
class Shared:
    """The running bot's parts."""

    bot: Bot
    client: AsyncTriptych
    settings: TelegramSettings
    orders: Orders
    chats: Chats
    file_ids: FileIds
    _catalog: Catalog | None = field(default=None, init=False)
    _catalog_until: float = field(default=0.0, init=False)

    async def catalog(self) -> Catalog:
        """What can be asked for. Prices change when the service starts again, so it is not kept for long."""
        now = time.monotonic()
        if self._catalog is None or now >= self._catalog_until:
            self._catalog = await self.client.list_types()
            self._catalog_until = now + CATALOG_SECONDS
        return self._catalog

    async def types(self) -> dict[str, GenerationType]:
        return {each.type: each for each in (await self.catalog()).types}

    async def balance(self, user_id: str) -> int:
        """In credits."""
        return (await self.client.get_account(user_id)).balance

    def person(self, user: User, chat_id: int) -> Person:
        return Person(
            chat_id=chat_id,
            user_id=self.settings.user_id_template.format(id=user.id),
            words=WORDS[language_of(user.language_code or "")],
        )


class KnowsThePerson(BaseMiddleware):
    """Gives handlers ``person``. What comes from nobody, or not from a chat between two, goes no further."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        user, chat = data.get("event_from_user"), data.get("event_chat")
        if user is None or chat is None or chat.type != "private":
            return None
        data["person"] = self._shared.person(user, chat.id)
        return await handler(event, data)
