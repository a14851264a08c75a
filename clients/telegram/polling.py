"""Updates are fetched, kept, and handled: in order within a chat, chats beside each other.

Telegram is told that an update came (``offset``) only once it is on disk (``store/inbox.py``). A crash after that
loses nothing: what was not handled is handled at the next start, and what was half done is done again, under the same
names (``draft.request_id``). How many wait is bounded: while too many do, none are fetched.
"""

from __future__ import annotations

import asyncio
from collections import deque

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import Update

from clients.telegram.store.inbox import Inbox

POLL_SECONDS = 25
REQUEST_SECONDS = POLL_SECONDS + 15
FETCHED_AT_ONCE = 100
MAX_WAITING = 1_000
MAX_CHATS_AT_ONCE = 50
MOST_PAUSE_SECONDS = 30.0
STOP_SECONDS = 10.0
ALLOWED_UPDATES = ["message", "callback_query"]

_log = structlog.get_logger("clients.telegram")


class Polling:
    """Runs until it is cancelled; ``close`` lets what is in hand be finished."""

    def __init__(self, bot: Bot, dispatcher: Dispatcher, inbox: Inbox) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._chats: dict[int, deque[Update]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(MAX_WAITING)
        self._at_once = asyncio.Semaphore(MAX_CHATS_AT_ONCE)
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Handles what was left, then what comes. Ends only with what makes it of no use to go on.

        Raises TelegramUnauthorizedError when the token is taken back, sqlite3.Error when nothing can be kept.
        """
        fetching = asyncio.create_task(self._fetch_all(), name="fetching")
        try:
            await asyncio.wait({fetching, self._broken}, return_when=asyncio.FIRST_COMPLETED)
            (self._broken if self._broken.done() else fetching).result()
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fetch_all(self) -> None:
        for update in await self._inbox.unhandled():
            await self._hand_over(update)
        offset: int | None = None
        failures = 0
        while True:
            try:
                updates = await self._fetch(offset)
            except TelegramUnauthorizedError:
                raise
            except AiogramError as error:
                failures += 1
                await asyncio.sleep(_pause_seconds(error, failures))
                continue
            failures = 0
            for update in await self._inbox.keep(updates):
                await self._hand_over(update)
            if updates:
                offset = updates[-1].update_id + 1
                await self._inbox.forget_old()

    async def close(self) -> None:
        """Waits for what is in hand, for a while; what is not finished then waits on disk."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _fetch(self, offset: int | None) -> list[Update]:
        return await self._bot.get_updates(
            offset=offset,
            limit=FETCHED_AT_ONCE,
            timeout=POLL_SECONDS,
            allowed_updates=ALLOWED_UPDATES,
            request_timeout=REQUEST_SECONDS,
        )

    async def _hand_over(self, update: Update) -> None:
        await self._room.acquire()
        chat_id = _chat_of(update)
        waiting = self._chats.get(chat_id)
        if waiting is not None:
            waiting.append(update)
            return
        self._chats[chat_id] = deque([update])
        task = asyncio.create_task(self._work(chat_id), name=f"chat-{chat_id}")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._broken.done():
            self._broken.set_exception(error)

    async def _work(self, chat_id: int) -> None:
        """Handles a chat's updates, one after the other, until none waits."""
        waiting = self._chats[chat_id]
        try:
            while waiting:
                update = waiting.popleft()
                async with self._at_once:
                    await self._handle(update)
                self._room.release()
        finally:
            del self._chats[chat_id]

    async def _handle(self, update: Update) -> None:
        try:
            await self._dispatcher.feed_update(self._bot, update)
        except Exception:  # noqa: BLE001 - one update that cannot be handled must not end the others
            _log.exception("an update could not be handled", update_id=update.update_id)
        await self._inbox.handled(update.update_id)


def _chat_of(update: Update) -> int:
    if update.message is not None:
        return update.message.chat.id
    query = update.callback_query
    if query is not None and query.message is not None:
        return query.message.chat.id
    return 0


def _pause_seconds(error: AiogramError, failures: int) -> float:
    if isinstance(error, TelegramConflictError):
        _log.warning("another program fetches this bot's updates", error=error.message)
    else:
        _log.warning("updates could not be fetched", error=type(error).__name__)
    asked = float(error.retry_after) if isinstance(error, TelegramRetryAfter) else 0.0
    return min(max(asked, 0.5 * 2.0 ** min(failures, 10)), MOST_PAUSE_SECONDS)
