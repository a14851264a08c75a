"""The methods that change or delete what was sent.

An edit says everything anew: without ``reply_markup`` the message loses its buttons.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.telegram.calls import Call
from sandbox.telegram.contents import input_media, text_content
from sandbox.telegram.entities import formatted_caption
from sandbox.telegram.errors import bad_request, too_strict
from sandbox.telegram.keyboards import Markup, reply_markup
from sandbox.telegram.messages import Chat, Content, Message, now
from sandbox.telegram.world import Telegram

_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)
_MAX_DELETED_AT_ONCE = 100


async def edit_message_text(telegram: Telegram, call: Call) -> dict[str, Any]:
    content = text_content(call)
    markup = reply_markup(call, inline_only=True)
    chat, message = _message_to_edit(telegram, call)
    if message.content.media is not None:
        raise bad_request("there is no text in the message to edit")
    return _edit(telegram, chat, message, content, markup)


async def edit_message_caption(telegram: Telegram, call: Call) -> dict[str, Any]:
    text, entities = formatted_caption(call)
    markup = reply_markup(call, inline_only=True)
    chat, message = _message_to_edit(telegram, call)
    if message.content.media is None:
        raise bad_request("there is no caption in the message to edit")
    above = call.flag("show_caption_above_media")
    content = replace(message.content, text=text, entities=entities, caption_above=above)
    return _edit(telegram, chat, message, content, markup)


async def edit_message_media(telegram: Telegram, call: Call) -> dict[str, Any]:
    """Other media, or media for a message that had none; in an album only what albums of its kind can hold."""
    markup = reply_markup(call, inline_only=True)
    _message_to_edit(telegram, call)
    given = call.structure("media", dict)
    if given is None:
        raise bad_request("there is no media in the request")
    content = await input_media(telegram, call, given)
    # It was looked at in a thread: the message may be gone by now.
    chat, message = _message_to_edit(telegram, call)
    if message.media_group_id and _album_kind(message.content) != _album_kind(content):
        raise bad_request("can't use the media of the specified type in the album")
    return _edit(telegram, chat, message, content, markup)


async def edit_message_reply_markup(telegram: Telegram, call: Call) -> dict[str, Any]:
    markup = reply_markup(call, inline_only=True)
    chat, message = _message_to_edit(telegram, call)
    return _edit(telegram, chat, message, message.content, markup)


async def delete_message(telegram: Telegram, call: Call) -> bool:
    chat = telegram.chats.for_writing(call.text("chat_id"))
    if not call.has("message_id"):
        raise bad_request("message identifier is not specified")
    if not chat.remove(call.integer("message_id")):
        raise bad_request("message to delete not found")
    telegram.changes.happened()
    return True


async def delete_messages(telegram: Telegram, call: Call) -> bool:
    """Those that are not there are passed over."""
    chat = telegram.chats.for_writing(call.text("chat_id"))
    message_ids = call.structure("message_ids", list)
    if not message_ids:
        raise bad_request("message identifiers are not specified")
    if len(message_ids) > _MAX_DELETED_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    for message_id in message_ids:
        chat.remove(Call(call.method, {"message_id": message_id}).integer("message_id"))
    telegram.changes.happened()
    return True


def _message_to_edit(telegram: Telegram, call: Call) -> tuple[Chat, Message]:
    if call.has("inline_message_id"):
        raise too_strict("messages that were sent by inline mode do not exist here")
    if not call.has("chat_id") and not call.has("message_id"):
        raise bad_request("message identifier is not specified")
    chat = telegram.chats.for_writing(call.text("chat_id"))
    message = chat.find(call.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot or (message.markup and not message.inline_keyboard):
        raise bad_request("message can't be edited")
    return chat, message


def _edit(
    telegram: Telegram, chat: Chat, message: Message, content: Content, markup: Markup | None
) -> dict[str, Any]:
    telegram.flood.pass_or_refuse(chat.person.user_id)
    if content == message.content and markup == message.markup:
        raise bad_request(_NOT_MODIFIED)
    if content != message.content:
        message.edit_time = now()
    message.content, message.markup = content, markup
    message.edits += 1
    telegram.changes.happened()
    return telegram.message_view(chat, message)


def _album_kind(content: Content) -> str:
    return "document" if content.media is not None and content.media.kind == "document" else "looked at"
