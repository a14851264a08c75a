"""What is on disk is there again after a stop, as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import CallbackQuery, Chat, Message, PhotoSize, Update, User

from clients.telegram.store import inbox as inboxes
from clients.telegram.store.chats import Chats
from clients.telegram.store.database import opened
from clients.telegram.store.dialogues import Dialogues
from clients.telegram.store.file_ids import FileIds
from clients.telegram.store.inbox import Inbox
from clients.telegram.store.orders import Followed, Orders
from clients.telegram.views import StatementView, View

ANNA = User(id=5, is_bot=False, first_name="Анна", language_code="ru")
CHAT = Chat(id=5, type="private")
SENT = datetime(2026, 11, 25, 14, 15, tzinfo=UTC)
KEY = StorageKey(bot_id=1, chat_id=5, user_id=5)
ORDER = Followed(generation_id="g", chat_id=5, user_id="telegram-5", language="ru", message_id=7)


class Steps(StatesGroup):
    words = State()


def message(update_id: int, text: str = "кот & пёс") -> Update:
    said = Message(message_id=update_id, date=SENT, chat=CHAT, from_user=ANNA, text=text)
    return Update(update_id=update_id, message=said)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot("1:token") as bot:
        yield bot


async def test_dialogues(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.sqlite3") as connection:
        dialogues = Dialogues(connection)
        assert await dialogues.get_state(KEY) is None
        assert await dialogues.get_data(KEY) == {}
        await dialogues.set_data(KEY, {"draft": {"prompt": "кот"}})
        await dialogues.set_state(KEY, Steps.words)
    async with opened(tmp_path / "a.sqlite3") as connection:
        dialogues = Dialogues(connection)
        assert await dialogues.get_state(KEY) == "Steps:words"
        assert await dialogues.get_data(KEY) == {"draft": {"prompt": "кот"}}
        assert await dialogues.get_data(StorageKey(bot_id=1, chat_id=6, user_id=6)) == {}
        await dialogues.set_state(KEY, None)
        assert await dialogues.get_state(KEY) is None


async def test_updates_are_taken_once_and_wait_until_they_are_handled(tmp_path: Path, bot: Bot) -> None:
    photo = Message(
        message_id=3,
        date=SENT,
        chat=CHAT,
        from_user=ANNA,
        photo=[PhotoSize(file_id="f", file_unique_id="u", width=1, height=1)],
    )
    tap = CallbackQuery(id="q", from_user=ANNA, chat_instance="c", message=photo, data="m|new")
    updates = [message(1), message(2), Update(update_id=3, message=photo), Update(update_id=4, callback_query=tap)]
    async with opened(tmp_path / "a.sqlite3") as connection:
        inbox = Inbox(connection, bot)
        assert await inbox.keep(updates) == updates
        assert await inbox.keep([*updates, message(9)]) == [message(9)]
        await inbox.handled(2)
    async with opened(tmp_path / "a.sqlite3") as connection:
        inbox = Inbox(connection, bot)
        assert await inbox.keep([message(2)]) == []
        waiting = await inbox.unhandled()
        expected = [updates[0], updates[2], updates[3], message(9)]
        assert [each.model_dump() for each in waiting] == [each.model_dump() for each in expected]
        assert waiting[2].callback_query is not None
        assert waiting[2].callback_query.bot is bot


async def test_old_updates_are_forgotten_but_never_one_that_waits(
    tmp_path: Path, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "KEPT_HANDLED", 2)
    async with opened(tmp_path / "a.sqlite3") as connection:
        inbox = Inbox(connection, bot)
        await inbox.keep([message(number) for number in range(1, 7)])
        for number in (2, 3, 4, 5, 6):
            await inbox.handled(number)
        await inbox.forget_old()
        assert [each.update_id for each in await inbox.unhandled()] == [1]
        assert await inbox.keep([message(number) for number in range(1, 7)]) == [message(2), message(3), message(4)]


async def test_orders_views_and_files(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.sqlite3") as connection:
        orders, chats, files = Orders(connection), Chats(connection), FileIds(connection)
        await orders.save(ORDER)
        await orders.save(Followed(generation_id="h", chat_id=6, user_id="u", language="en", message_id=1))
        await orders.remove("h")
        await chats.save(5, View(list_name="video", number=3))
        await chats.save(5, StatementView(message_id=4))
        await files.put("key", "photo", "old")
        await files.put("key", "photo", "new")
        await files.put("key", "document", "other")
        await files.forget("key", "document")
    async with opened(tmp_path / "a.sqlite3") as connection:
        orders, chats, files = Orders(connection), Chats(connection), FileIds(connection)
        assert await orders.all() == [ORDER]
        assert await orders.get("g") == ORDER
        assert await orders.get("h") is None
        assert await chats.load(5, View) == View(list_name="video", number=3)
        assert await chats.load(5, StatementView) == StatementView(message_id=4)
        assert await chats.load(6, View) is None
        assert [await files.get("key", "photo"), await files.get("key", "document")] == ["new", None]
