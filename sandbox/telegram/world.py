"""What the two applications of the server share: everything it knows, in memory only."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Any

from sandbox.background import Background
from sandbox.telegram.callbacks import CallbackQueries
from sandbox.telegram.faults import FaultBoard
from sandbox.telegram.files import FileStore
from sandbox.telegram.flood import FloodControl
from sandbox.telegram.journal import Journal
from sandbox.telegram.messages import Chat, Chats, Message
from sandbox.telegram.options import TelegramOptions
from sandbox.telegram.profile import Profile
from sandbox.telegram.updates import UpdateQueue
from sandbox.telegram.webhook import Webhook


class Changes:
    """Counts what happens in the chats, and wakes those who wait to see it."""

    def __init__(self) -> None:
        self.number = 0
        self._event = asyncio.Event()

    def happened(self) -> None:
        self.number += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seen: int, timeout_seconds: float) -> None:
        """Returns when more than ``seen`` has happened, or after a while."""
        if self.number <= seen:
            waiting = asyncio.create_task(self._event.wait())
            await asyncio.wait({waiting}, timeout=timeout_seconds)
            waiting.cancel()


class Telegram:
    """One server's state."""

    def __init__(
        self, options: TelegramOptions, executor: Executor, background: Background, methods: frozenset[str]
    ) -> None:
        self.options = options
        self.executor = executor
        self.background = background
        self.files = FileStore()
        self.chats = Chats()
        self.updates = UpdateQueue()
        self.webhook = Webhook(self.updates, background)
        self.callbacks = CallbackQueries(options.callback_seconds)
        self.flood = FloodControl(options.flood)
        self.profile = Profile(options.bot_name)
        self.faults = FaultBoard(methods)
        self.journal = Journal()
        self.changes = Changes()

    @property
    def bot(self) -> dict[str, Any]:
        """The bot as a user."""
        names = {"first_name": self.options.bot_name, "username": self.options.bot_username}
        return {"id": self.options.bot_id, "is_bot": True, **names}

    def message_view(self, chat: Chat, message: Message) -> dict[str, Any]:
        return chat.message_view(message, self.bot)

    def reset(self) -> None:
        """Forgets people, messages, updates, presses, faults and counts.

        What a bot that goes on running counts on stays: files by their ids, commands, descriptions, the webhook; and
        no id is given twice.
        """
        self.chats.clear()
        self.updates.clear()
        self.callbacks.clear()
        self.faults.clear()
        self.journal.clear()
        self.flood.set_limits(self.options.flood)
        self.changes.happened()

    def close(self) -> None:
        """Lets everything that waits return, so that the server can stop."""
        self.background.end_pauses()
        self.updates.close()
        self.changes.happened()
