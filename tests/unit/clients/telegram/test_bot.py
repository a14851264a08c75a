"""Who is talking: whose gallery it is, in which language, and that only chats between two are answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiogram import Bot, Dispatcher
from aiogram.types import Chat, Message, Update, User

from clients.sdk import AsyncTriptych
from clients.telegram.bot import KnowsThePerson, Person, Shared
from clients.telegram.settings import TelegramSettings
from clients.telegram.store.chats import Chats
from clients.telegram.store.database import opened
from clients.telegram.store.file_ids import FileIds
from clients.telegram.store.orders import Orders

SENT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    """The parts of a bot that nobody talks to over a network."""
    settings = TelegramSettings.model_validate({"token": "1:token", "user_id_template": "tg:{id}"})
    async with (
        AsyncTriptych("localhost:1") as client,
        Bot("1:token") as bot,
        opened(tmp_path / "a.sqlite3") as connection,
    ):
        orders, chats, file_ids = Orders(connection), Chats(connection), FileIds(connection)
        yield Shared(bot=bot, client=client, settings=settings, orders=orders, chats=chats, file_ids=file_ids)


def user(language_code: str | None) -> User:
    return User(id=5, is_bot=False, first_name="Анна", language_code=language_code)


@pytest.mark.parametrize(
    ("language_code", "language"), [("ru", "ru"), ("ru-RU", "ru"), ("en", "en"), ("de", "en"), (None, "en")]
)
async def test_a_person_has_the_products_name_and_their_language(
    shared: Shared, language_code: str | None, language: str
) -> None:
    person = shared.person(user(language_code), chat_id=7)
    assert (person.user_id, person.chat_id, person.language) == ("tg:5", 7, language)


async def test_only_chats_between_two_are_answered(shared: Shared) -> None:
    seen: list[Person] = []

    async def handle(message: Message, person: Person) -> None:
        seen.append(person)

    dispatcher = Dispatcher()
    dispatcher.message.outer_middleware(KnowsThePerson(shared))
    dispatcher.message.register(handle)
    for number, chat in enumerate((Chat(id=-9, type="group"), Chat(id=5, type="private"))):
        said = Message(message_id=number, date=SENT, chat=chat, from_user=user("ru"), text="/gallery")
        await dispatcher.feed_update(shared.bot, Update(update_id=number, message=said))
    assert [person.chat_id for person in seen] == [5]
