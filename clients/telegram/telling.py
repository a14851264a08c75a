"""Messages put into a chat, changed and taken away, where people may have changed things meanwhile.

Somebody may have deleted a message that is to be edited, or it shows already what it should. Telegram answers such
things with 400 and a sentence; these functions know the sentences and do what was meant.
"""

from __future__ import annotations

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import CallbackQuery, InlineKeyboardMarkup

from clients.telegram.texts import cut

MAX_ANSWER_UNITS = 200
NOT_MODIFIED = "message is not modified"
GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
CANNOT_DELETE = ("message to delete not found", "message can't be deleted")
TOO_LATE = "query is too old"
NO_TEXT = "there is no text in the message to edit"


def says(error: TelegramBadRequest, *sentences: str) -> bool:
    """Whether Telegram's refusal is one of these."""
    return any(each in error.message.lower() for each in sentences)


async def send(bot: Bot, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None = None) -> int:
    """Sends a text; the message's id."""
    return (await bot.send_message(chat_id, text, reply_markup=keyboard)).message_id


async def show(
    bot: Bot, chat_id: int, message_id: int, text: str, keyboard: InlineKeyboardMarkup | None = None
) -> int:
    """Makes a message show ``text``; where it is gone or has a picture, a new one. Returns the id of that message."""
    if message_id:
        try:
            await bot.edit_message_text(text, chat_id=chat_id, message_id=message_id, reply_markup=keyboard)
        except TelegramBadRequest as error:
            if says(error, *GONE, NO_TEXT):
                return await send(bot, chat_id, text, keyboard)
            if not says(error, NOT_MODIFIED):
                raise
        return message_id
    return await send(bot, chat_id, text, keyboard)


async def take_buttons(bot: Bot, chat_id: int, message_id: int) -> None:
    """Takes the buttons off a message that is of no use any more."""
    try:
        await bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id, reply_markup=None)
    except TelegramBadRequest as error:
        if not says(error, *GONE, NOT_MODIFIED):
            raise


async def delete(bot: Bot, chat_id: int, message_id: int) -> None:
    """Deletes a message; of one that is too old for that (48 hours), takes the buttons."""
    try:
        await bot.delete_message(chat_id, message_id)
    except TelegramBadRequest as error:
        if not says(error, *CANNOT_DELETE):
            raise
        await take_buttons(bot, chat_id, message_id)


async def answer(query: CallbackQuery, text: str = "", *, alert: bool = False) -> None:
    """Ends the waiting sign of a button. After a restart it may be too late for that, which harms nobody."""
    try:
        await query.answer(cut(text, MAX_ANSWER_UNITS) or None, show_alert=alert)
    except TelegramBadRequest as error:
        if not says(error, TOO_LATE):
            raise
