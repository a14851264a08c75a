"""Updates are handled in their chat's order, chats beside each other, and each until it is noted as handled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiogram import Bot, Dispatcher
from aiogram.methods import GetUpdates
from aiogram.types import Chat, Message, Update, User

from clients.telegram.polling import Polling
from clients.telegram.store.database import opened
from clients.telegram.store.inbox import Inbox

BOUND_SECONDS = 30


def update(update_id: int, chat_id: int) -> Update:
    user, chat = User(id=chat_id, is_bot=False, first_name="Анна"), Chat(id=chat_id, type="private")
    sent = datetime(2026, 11, 25, tzinfo=UTC)
    said = Message(message_id=update_id, date=sent, chat=chat, from_user=user, text=str(update_id))
    return Update(update_id=update_id, message=said)


class Batches:
    """A Telegram that has these updates, and then nothing for ever. ``offsets`` are those that were asked for."""

    def __init__(self, *batches: list[Update]) -> None:
        self.batches = list(batches)
        self.offsets: list[int | None] = []
        self.empty = asyncio.Event()

    async def __call__(self, make_request: object, bot: Bot, method: object) -> list[Update]:
        assert isinstance(method, GetUpdates)
        self.offsets.append(method.offset)
        if not self.batches:
            self.empty.set()
            await asyncio.Event().wait()
        return self.batches.pop(0)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot("1:token") as bot:
        yield bot


@pytest.fixture
async def inbox(tmp_path: Path, bot: Bot) -> AsyncIterator[Inbox]:
    async with opened(tmp_path / "a.sqlite3") as connection:
        yield Inbox(connection, bot)


@asynccontextmanager
async def polling(bot: Bot, inbox: Inbox, handle: Callable[[Message], Awaitable[None]]) -> AsyncIterator[None]:
    """The bot while it polls; afterwards it is stopped as the program stops it. All of it within a bound."""
    dispatcher = Dispatcher()
    dispatcher.message.register(handle)
    polls = Polling(bot, dispatcher, inbox)
    running = asyncio.create_task(polls.run())
    async with asyncio.timeout(BOUND_SECONDS):
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await polls.close()


async def test_a_slow_chat_holds_up_no_other_and_keeps_its_order(bot: Bot, inbox: Inbox) -> None:
    telegram = Batches([update(1, 5), update(2, 5), update(3, 6)], [update(3, 6), update(4, 5)])
    bot.session.middleware(telegram)  # type: ignore[arg-type]
    handled: list[int] = []
    first, rest, all_done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(message: Message) -> None:
        if message.message_id == 1:
            await first.wait()
        handled.append(message.message_id)
        if message.message_id == 3:
            rest.set()
        if len(handled) == 4:
            all_done.set()

    async with polling(bot, inbox, handle):
        await rest.wait()
        first.set()
        await all_done.wait()
        await telegram.empty.wait()
    assert handled == [3, 1, 2, 4]
    assert telegram.offsets == [None, 4, 5]
    assert await inbox.unhandled() == []


async def test_an_update_that_fails_is_done_with_and_the_next_is_handled(bot: Bot, inbox: Inbox) -> None:
    bot.session.middleware(Batches([update(1, 5), update(2, 5)]))  # type: ignore[arg-type]
    handled = asyncio.Event()

    async def handle(message: Message) -> None:
        if message.message_id == 1:
            raise ValueError("a defect")
        handled.set()

    async with polling(bot, inbox, handle):
        await handled.wait()
    assert await inbox.unhandled() == []


async def test_what_is_in_hand_at_the_end_waits_on_disk(
    bot: Bot, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.telegram.polling.STOP_SECONDS", 0.01)
    bot.session.middleware(Batches([update(1, 5), update(2, 5)]))  # type: ignore[arg-type]
    began = asyncio.Event()

    async def handle(message: Message) -> None:
        began.set()
        await asyncio.Event().wait()

    async with polling(bot, inbox, handle):
        await began.wait()
    assert [each.update_id for each in await inbox.unhandled()] == [1, 2]


async def test_a_disk_that_keeps_nothing_ends_it(bot: Bot, tmp_path: Path) -> None:
    bot.session.middleware(Batches([update(1, 5)]))  # type: ignore[arg-type]
    async with opened(tmp_path / "a.sqlite3") as connection:
        inbox = Inbox(connection, bot)

        async def handle(message: Message) -> None:
            await connection.execute("drop table updates")

        dispatcher = Dispatcher()
        dispatcher.message.register(handle)
        polling = Polling(bot, dispatcher, inbox)
        async with asyncio.timeout(BOUND_SECONDS):
            with pytest.raises(sqlite3.OperationalError, match="updates"):
                await polling.run()
            await polling.close()
