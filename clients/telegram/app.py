"""The bot put together: what is shared, the dispatcher with its routers, what Telegram is told about the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import BotCommand, MenuButtonCommands, User

from clients.sdk import AsyncTriptych
from clients.telegram.bot import KnowsThePerson, Shared
from clients.telegram.following import Following
from clients.telegram.gallery import Gallery
from clients.telegram.handlers import routers
from clients.telegram.handlers.troubles import failed
from clients.telegram.media import MediaSender
from clients.telegram.ordering import Orderer
from clients.telegram.polling import Polling
from clients.telegram.sending import PacedSending
from clients.telegram.settings import TelegramSettings
from clients.telegram.store.chats import Chats
from clients.telegram.store.database import opened
from clients.telegram.store.dialogues import Dialogues
from clients.telegram.store.file_ids import FileIds
from clients.telegram.store.inbox import Inbox
from clients.telegram.store.orders import Orders
from clients.telegram.words import WORDS

COMMANDS = ("start", "new", "gallery", "balance", "statement", "help")


@dataclass(frozen=True)
class RunningBot:
    """A bot that handles updates. ``polling`` ends only when it fails."""

    me: User
    shared: Shared
    polling: asyncio.Task[None]


@asynccontextmanager
async def running_bot(settings: TelegramSettings, client: AsyncTriptych) -> AsyncIterator[RunningBot]:
    """Runs the bot until the block ends; closes ``client``. Raises TelegramAPIError, OSError, sqlite3.Error."""
    bot = new_bot(settings)
    async with client, bot.session, opened(settings.data_dir / f"{bot.id}.sqlite3") as connection:
        me = await bot.me()
        await introduce(bot)
        shared = Shared(
            bot=bot,
            client=client,
            settings=settings,
            orders=Orders(connection),
            chats=Chats(connection),
            file_ids=FileIds(connection),
        )
        media = MediaSender(shared)
        following = Following(shared, media)
        dispatcher = new_dispatcher(shared, media, following, Dialogues(connection))
        polling = Polling(bot, dispatcher, Inbox(connection, bot))
        await following.resume()
        task = asyncio.create_task(polling.run(), name="polling")
        try:
            yield RunningBot(me, shared, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await polling.close()
            await following.close()


def new_bot(settings: TelegramSettings) -> Bot:
    """Raises TokenValidationError for a token that is none."""
    api = TelegramAPIServer.from_base(settings.api_url) if settings.api_url else PRODUCTION
    session = AiohttpSession(api=api)
    session.middleware(
        PacedSending(chat_rate=settings.chat_rate, chat_burst=settings.chat_burst, total_rate=settings.total_rate)
    )
    return Bot(settings.token.get_secret_value(), session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))


def new_dispatcher(shared: Shared, media: MediaSender, following: Following, dialogues: Dialogues) -> Dispatcher:
    """What takes updates apart and gives handlers what they ask for by name."""
    dispatcher = Dispatcher(
        storage=dialogues,
        shared=shared,
        media=media,
        gallery=Gallery(shared, media),
        orderer=Orderer(shared, following),
    )
    for observer in (dispatcher.message, dispatcher.callback_query):
        observer.outer_middleware(KnowsThePerson(shared))
    dispatcher.include_routers(*routers())
    dispatcher.errors.register(failed)
    return dispatcher


async def introduce(bot: Bot) -> None:
    """Tells Telegram the commands and what the bot is for, in both languages; English is for all others."""
    await bot.delete_webhook(drop_pending_updates=False)
    for language, words in WORDS.items():
        code = None if language == "en" else language
        commands = [BotCommand(command=each, description=words(f"command_{each}")) for each in COMMANDS]
        await bot.set_my_commands(commands, language_code=code)
        await bot.set_my_short_description(words("about"), language_code=code)
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
