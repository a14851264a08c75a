"""What the tests of the Telegram bot share: the bot between the Bot API server and the service, and people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from clients import looks
from clients.sdk import AsyncTriptych, Generation, GenerationOptions
from clients.telegram.app import RunningBot, running_bot
from clients.telegram.bot import Shared
from clients.telegram.settings import TelegramSettings
from clients.telegram.words import WORDS
from clients.words import Language, Words
from tests.support.telegram import BotApi, MessageView, PressView, TelegramUser

QUICK = {"chat_rate": 1000, "chat_burst": 100, "total_rate": 1000}
"""Rates for a Bot API server without limits."""


@dataclass(frozen=True)
class Visitor:
    """Somebody in a chat with the bot."""

    user: TelegramUser
    user_id: str
    """As the service knows them."""
    words: Words
    client: AsyncTriptych

    async def sees(self, *texts: str, after: int = 0) -> MessageView:
        """Waits for a message of the bot with all these words, in its text or on its buttons, below ``after``."""

        def fits(message: MessageView) -> bool:
            said = "\n".join([message.text, *message.labels])
            return message.message_id > after and all(each in said for each in texts)

        return await self.user.wait_for_message(fits)

    async def shows(self, message: MessageView, *texts: str) -> MessageView:
        """Waits until this message (which is edited) has all these words."""

        def fits(each: MessageView) -> bool:
            said = "\n".join([each.text, *each.labels])
            return each.message_id == message.message_id and all(text in said for text in texts)

        return await self.user.wait_for_message(fits)

    async def press(self, message: MessageView, label: str) -> PressView:
        """Presses the button whose label contains ``label``."""
        buttons = [button for row in message.buttons for button in row if label in button.text]
        assert len(buttons) == 1, (label, message.labels)
        pressed = await self.user.press(message, buttons[0].data)
        assert pressed.answered, label
        return pressed

    async def describes(self, prompt: str) -> MessageView:
        """Writes a description; the summary that comes, with the price."""
        await self.user.send(prompt)
        return await self.sees(prompt, self.words("price_label"), self.words("confirm", credits="").strip())

    async def confirms(self, summary: MessageView) -> PressView:
        return await self.press(summary, "✨")

    async def gallery(self) -> MessageView:
        """Opens the gallery: a new message, in place of the one before."""
        sent = await self.user.send("/gallery")
        return await self.sees(self.words("filter_all"), after=sent.message_id)

    async def has_made(self, prompt: str, **options: Unpack[GenerationOptions]) -> Generation:
        """A generation that was asked for elsewhere, has ended and is in the gallery."""
        made = await self.client.generate(self.user_id, "imagen4", prompt, **options)
        await self.client.count_items(self.user_id)  # Answers once the gallery has it.
        return made

    async def balance(self) -> int:
        return (await self.client.get_account(self.user_id)).balance

    def credits(self, number: int) -> str:
        return self.words.count("credits", number)

    def filter(self, name: str, count: int) -> str:
        """What stands on the button of a list."""
        title = {"": "📋 " + self.words("filter_all")}.get(name) or (
            f"{looks.FILTERS[name]} {self.words(f'filter_{name}')}"
        )
        return f"{title} {count}"


@dataclass(frozen=True)
class Stage:
    """The Bot API server and the service, with a bot between them."""

    telegram: BotApi
    client: AsyncTriptych

    async def visitor(self, language: Language = "ru", credits: int = 200) -> Visitor:
        """Somebody new, with credits."""
        code = "ru" if language == "ru" else "en"
        user = await self.telegram.user(language_code=code, first_name="Вера")
        visitor = Visitor(user, f"telegram-{user.user_id}", WORDS[language], self.client)
        if credits:
            await self.client.grant_credits(visitor.user_id, credits)
            await visitor.balance()  # Answers once others see it, too.
        return visitor


def settings_for(telegram: BotApi, folder: Path, **more: object) -> TelegramSettings:
    """The bot's settings, as quick as they go unless told otherwise."""
    told = {"token": telegram.token, "api_url": telegram.api_url, "data_dir": folder}
    return TelegramSettings.model_validate({**told, **QUICK, **more})


@asynccontextmanager
async def bot_at(telegram: BotApi, address: str, folder: Path, **more: object) -> AsyncIterator[RunningBot]:
    """A bot in the running event loop, for the service at ``address``; its data is kept in ``folder``."""
    async with running_bot(settings_for(telegram, folder, **more), AsyncTriptych(address)) as bot:
        yield bot


@dataclass(frozen=True)
class SharedStage(Stage):
    """The one that tests share. ``shared`` are its bot's own parts."""

    shared: Shared
