"""What is sent again, how often, and what is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetUpdates, Response, SendMessage, TelegramMethod

from clients.telegram import sending
from clients.telegram.sending import MAX_ATTEMPTS, PacedSending

BOUND_SECONDS = 30
MESSAGE = SendMessage(chat_id=1, text="кот")


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with Bot("1:token") as bot:
        yield bot


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_BACKOFF_SECONDS", 0.001)


class Telegram:
    """Answers with these errors, one after the other, and then well."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times: list[float] = []

    async def __call__(self, bot: Bot, method: TelegramMethod[Any]) -> Response[Any]:
        self.times.append(time.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return Response[Any](ok=True, result=None)


def paced(chat_rate: float = 1000, chat_burst: int = 100) -> PacedSending:
    return PacedSending(chat_rate=chat_rate, chat_burst=chat_burst, total_rate=1000)


FAILURES: list[Callable[[], Exception]] = [
    lambda: TelegramServerError(MESSAGE, "Internal Server Error"),
    lambda: TelegramNetworkError(MESSAGE, "connection reset"),
    lambda: ClientDecodeError("Failed to decode object", ValueError(), "<html>"),
    lambda: TelegramRetryAfter(MESSAGE, "Too Many Requests", 1),
]


@pytest.mark.parametrize("failure", FAILURES)
async def test_what_failed_on_the_way_is_sent_again(bot: Bot, failure: Callable[[], Exception]) -> None:
    telegram = Telegram(failure())
    assert (await paced()(telegram, bot, MESSAGE)).ok
    assert len(telegram.times) == 2


async def test_a_pause_that_is_asked_for_is_kept_by_the_whole_chat(bot: Bot) -> None:
    middleware, telegram = paced(), Telegram(TelegramRetryAfter(MESSAGE, "Too Many Requests", 1))
    await middleware(telegram, bot, MESSAGE)
    assert telegram.times[1] - telegram.times[0] >= 0.99


async def test_attempts_are_bounded(bot: Bot) -> None:
    telegram = Telegram(*(TelegramServerError(MESSAGE, "Bad Gateway") for _ in range(20)))
    with pytest.raises(TelegramServerError):
        await paced()(telegram, bot, MESSAGE)
    assert len(telegram.times) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    "refusal",
    [
        TelegramBadRequest(MESSAGE, "chat not found"),
        TelegramEntityTooLarge(MESSAGE, "Request Entity Too Large"),
        TelegramRetryAfter(MESSAGE, "Too Many Requests", 3600),
    ],
)
async def test_what_will_not_do_later_either_is_not_sent_again(bot: Bot, refusal: Exception) -> None:
    telegram = Telegram(refusal)
    with pytest.raises(type(refusal)):
        await paced()(telegram, bot, MESSAGE)
    assert len(telegram.times) == 1


async def test_messages_of_a_chat_keep_its_pace(bot: Bot) -> None:
    middleware, telegram = paced(chat_rate=20, chat_burst=1), Telegram()
    for _ in range(3):
        await middleware(telegram, bot, MESSAGE)
    assert telegram.times[2] - telegram.times[0] >= 0.09


async def test_a_chat_that_waits_holds_up_no_other(bot: Bot) -> None:
    middleware, telegram = paced(chat_rate=0.001, chat_burst=1), Telegram()
    await middleware(telegram, bot, MESSAGE)
    waiting = asyncio.create_task(middleware(telegram, bot, MESSAGE))
    async with asyncio.timeout(BOUND_SECONDS):
        await middleware(telegram, bot, SendMessage(chat_id=2, text="кот"))
    assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert len(telegram.times) == 2


async def test_fetching_updates_is_left_to_the_polling(bot: Bot) -> None:
    telegram = Telegram(TelegramServerError(MESSAGE, "Bad Gateway"))
    with pytest.raises(TelegramServerError):
        await paced()(telegram, bot, GetUpdates())
    assert len(telegram.times) == 1
