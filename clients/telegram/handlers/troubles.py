"""What nobody else took, and what went wrong: one plain sentence each, and no loop.

Somebody who blocked the bot is no trouble. A service that is away is said so, and a draft stays as it was: the same
button works when it is back, and is the same order.
"""

from __future__ import annotations

import structlog
from aiogram import Router
from aiogram.exceptions import AiogramError, TelegramForbiddenError
from aiogram.types import CallbackQuery, ErrorEvent, Message, Update

from clients.sdk import (
    DeadlineExceeded,
    InternalError,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    TriptychError,
    Unavailable,
)
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.words import Words

_log = structlog.get_logger("clients.telegram")


def router() -> Router:
    router = Router(name="troubles")
    router.message.register(not_understood)
    router.callback_query.register(unknown_button)
    return router


async def not_understood(message: Message, person: Person, shared: Shared) -> None:
    """A voice message, a sticker, a command that there is not."""
    await telling.send(shared.bot, person.chat_id, person.words("only_words"), keyboards.only_back(person.words))


async def unknown_button(query: CallbackQuery, person: Person) -> None:
    """A button of another version of the bot."""
    await telling.answer(query, person.words("out_of_date"))


async def failed(event: ErrorEvent, shared: Shared) -> None:
    """Says what went wrong to whom it concerns. It ends here: the update counts as handled."""
    error, update = event.exception, event.update
    if isinstance(error, TelegramForbiddenError):
        _log.info("somebody has blocked the bot", update_id=update.update_id)
        return
    person = _who(update, shared)
    if person is None:
        _log.error("an update failed", update_id=update.update_id, exc_info=error)
        return
    text = _sentence(error, person.words)
    if not isinstance(error, TriptychError) or isinstance(error, InternalError):
        _log.error("an update failed", update_id=update.update_id, exc_info=error)
    try:
        if update.callback_query is not None:
            await telling.answer(update.callback_query)
        await telling.send(shared.bot, person.chat_id, text, keyboards.only_back(person.words))
    except AiogramError as further:
        _log.warning("a trouble could not be told", update_id=update.update_id, error=str(further))


def _sentence(error: Exception, words: Words) -> str:
    if isinstance(error, Unavailable | DeadlineExceeded | ResourceExhausted):
        return texts.away(words)
    if isinstance(error, NotFound | InvalidArgument):
        return texts.not_found(words)
    return texts.wrong(words, error.error_id if isinstance(error, InternalError) else "")


def _who(update: Update, shared: Shared) -> Person | None:
    query, message = update.callback_query, update.message
    if query is not None and query.message is not None:
        return shared.person(query.from_user, query.message.chat.id)
    if message is not None and message.from_user is not None:
        return shared.person(message.from_user, message.chat.id)
    return None
