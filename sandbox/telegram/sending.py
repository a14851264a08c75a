"""The methods that write into a chat."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from sandbox.telegram.calls import Call
from sandbox.telegram.contents import captioned_media, input_media, text_content
from sandbox.telegram.errors import bad_request, refuse_unknown
from sandbox.telegram.files import Kind
from sandbox.telegram.keyboards import Markup, reply_markup
from sandbox.telegram.messages import Chat, Content, Message, now
from sandbox.telegram.world import Telegram

_ACTIONS: Final = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
    "choose_sticker", "find_location", "record_video_note", "upload_video_note",
}  # fmt: skip

_REPLY: Final = {"message_id", "chat_id", "allow_sending_without_reply", "quote_parse_mode"}


async def send_message(telegram: Telegram, call: Call) -> dict[str, Any]:
    return _deliver(telegram, call, [text_content(call)], reply_markup(call))[0]


async def send_photo(telegram: Telegram, call: Call) -> dict[str, Any]:
    return await _send_media(telegram, call, "photo")


async def send_video(telegram: Telegram, call: Call) -> dict[str, Any]:
    return await _send_media(telegram, call, "video")


async def send_animation(telegram: Telegram, call: Call) -> dict[str, Any]:
    return await _send_media(telegram, call, "animation")


async def send_document(telegram: Telegram, call: Call) -> dict[str, Any]:
    return await _send_media(telegram, call, "document")


async def send_media_group(telegram: Telegram, call: Call) -> list[dict[str, Any]]:
    """An album of 2 to 10 photos and videos, or of documents alone."""
    given = call.structure("media", list) or []
    if not 2 <= len(given) <= 10:
        raise bad_request("the number of media in an album must be from 2 to 10")
    contents = [await input_media(telegram, call, each, in_album=True) for each in given]
    documents = {content.media is not None and content.media.kind == "document" for content in contents}
    if len(documents) > 1:
        raise bad_request("can't use the media of the specified type in the album")
    return _deliver(telegram, call, contents, None, group_id=str(secrets.randbits(62)))


async def send_chat_action(telegram: Telegram, call: Call) -> bool:
    if call.text("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    telegram.chats.for_writing(call.text("chat_id")).action = call.text("action")
    telegram.changes.happened()
    return True


async def _send_media(telegram: Telegram, call: Call, kind: Kind) -> dict[str, Any]:
    markup = reply_markup(call)
    # Who cannot be written to is said before a large file is looked at.
    telegram.chats.for_writing(call.text("chat_id"))
    return _deliver(telegram, call, [await captioned_media(telegram, call, kind, kind)], markup)[0]


def _deliver(
    telegram: Telegram, call: Call, contents: Sequence[Content], markup: Markup | None, group_id: str = ""
) -> list[dict[str, Any]]:
    chat = telegram.chats.for_writing(call.text("chat_id"))
    reply_to = _reply_to(chat, call)
    telegram.flood.pass_or_refuse(chat.person.user_id, len(contents))
    sent = []
    for content in contents:
        message = Message(
            telegram.chats.next_message_id(),
            from_bot=True,
            send_time=now(),
            content=content,
            markup=markup,
            reply_to=reply_to,
            media_group_id=group_id,
            is_protected=call.flag("protect_content"),
        )
        chat.add(message)
        sent.append(telegram.message_view(chat, message))
    telegram.changes.happened()
    return sent


def _reply_to(chat: Chat, call: Call) -> Message | None:
    reply = call.structure("reply_parameters", dict)
    if not reply:
        return None
    refuse_unknown(reply, _REPLY, "reply_parameters")
    message = chat.find(Call(call.method, reply).integer("message_id"))
    if message is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message
