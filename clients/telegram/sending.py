"""Everything that goes out, paced as Telegram asks.

Telegram takes about one message a second in a chat, with short bursts, and 30 a second from a bot; edits count. Who
is faster is answered 429 with ``retry_after``. Each call that puts a message into a chat waits for its turn here; a
429 makes the chat pause and the call is made again, at most ``MAX_ATTEMPTS`` times and never after a longer pause
than ``MAX_PAUSE_SECONDS``. Calls that failed on the way are repeated, too: at worst a message comes twice, and no
call to Telegram costs credits.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import structlog
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, DeleteMessage, GetUpdates
from aiogram.methods.base import Response, TelegramMethod, TelegramType
from cachetools import LRUCache

from clients.telegram.pace import Pace

if TYPE_CHECKING:
    from aiogram import Bot

MAX_ATTEMPTS = 4
MAX_PAUSE_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.5
MAX_CHATS = 10_000
FAILED_ON_THE_WAY = (TelegramRetryAfter, TelegramServerError, TelegramNetworkError, ClientDecodeError)
"""The last one is a page of a proxy in place of an answer."""
UNPACED = (AnswerCallbackQuery, DeleteMessage)
"""Calls that show no message."""
UNTOUCHED = (GetUpdates,)
"""The polling has its own way with failures."""

_log = structlog.get_logger("clients.telegram")


class PacedSending(BaseRequestMiddleware):
    """A middleware of aiogram's session. Rates in messages a second."""

    def __init__(self, *, chat_rate: float, chat_burst: int, total_rate: float) -> None:
        self._chat_rate, self._chat_burst = chat_rate, chat_burst
        self._total = Pace(total_rate, burst=max(1, int(total_rate)))
        self._chats: LRUCache[Any, Pace] = LRUCache(MAX_CHATS)

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        if type(method) in UNTOUCHED:
            return await make_request(bot, method)
        chat_id = None if type(method) in UNPACED else getattr(method, "chat_id", None)
        attempt = 0
        while True:
            attempt += 1
            await self._turn(chat_id)
            try:
                return await make_request(bot, method)
            except FAILED_ON_THE_WAY as error:
                pause_seconds = _pause_after(error, attempt)
                if pause_seconds is None:
                    raise
                name = type(method).__name__
                _log.info("a call is made again", method=name, error=type(error).__name__, pause=pause_seconds)
                if isinstance(error, TelegramRetryAfter):
                    self._chat(chat_id).hold(time.monotonic() + pause_seconds)
            await asyncio.sleep(pause_seconds)

    async def _turn(self, chat_id: int | str | None) -> None:
        if chat_id is None:
            return
        now = time.monotonic()
        await asyncio.sleep(max(self._chat(chat_id).take(now), self._total.take(now)))

    def _chat(self, chat_id: int | str | None) -> Pace:
        pace: Pace | None = self._chats.get(chat_id)
        if pace is None:
            pace = self._chats[chat_id] = Pace(self._chat_rate, self._chat_burst)
        return pace


def _pause_after(error: Exception, attempt: int) -> float | None:
    """How long to wait before the call is made again; None when it is not."""
    if attempt >= MAX_ATTEMPTS or isinstance(error, TelegramEntityTooLarge):
        return None
    if isinstance(error, TelegramRetryAfter):
        return float(error.retry_after) if error.retry_after <= MAX_PAUSE_SECONDS else None
    return FIRST_BACKOFF_SECONDS * float(2 ** (attempt - 1))
