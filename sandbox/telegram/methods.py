"""Every method that the server has, with the parameters that it takes.

The source of the parameters is https://core.telegram.org/bots/api. Those that belong to what does not exist here
(groups, business accounts, topics, paid posts) are left out, so that a bot that uses them hears of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.telegram import answering, editing, sending
from sandbox.telegram.calls import Call
from sandbox.telegram.world import Telegram

Run = Callable[[Telegram, Call], Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    """A method: its name as it is documented, what it does, and the parameters that it takes."""

    name: str
    run: Run
    parameters: frozenset[str]


def _texts(name: str) -> tuple[Run, Run]:
    """Setting and getting one of the texts of a bot's profile."""

    async def set_text(telegram: Telegram, call: Call) -> bool:
        telegram.profile.set_text(name, call)
        return True

    async def get_text(telegram: Telegram, call: Call) -> dict[str, str]:
        return telegram.profile.text(name, call)

    return set_text, get_text


_SEND = (
    "chat_id disable_notification protect_content allow_paid_broadcast message_effect_id reply_parameters "
    "reply_markup "
)
_CAPTION = "caption parse_mode caption_entities "
_SHOWN = "show_caption_above_media has_spoiler "
_MOVING = "duration width height thumbnail "
_EDIT = "chat_id message_id inline_message_id reply_markup "
_set_name, _get_name = _texts("name")
_set_description, _get_description = _texts("description")
_set_short, _get_short = _texts("short_description")

_TABLE: Final[list[tuple[str, Run, str]]] = [
    ("getMe", answering.get_me, ""),
    ("getUpdates", answering.get_updates, "offset limit timeout allowed_updates"),
    (
        "setWebhook",
        answering.set_webhook,
        "url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
    ),
    ("deleteWebhook", answering.delete_webhook, "drop_pending_updates"),
    ("getWebhookInfo", answering.get_webhook_info, ""),
    ("sendMessage", sending.send_message, _SEND + "text parse_mode entities link_preview_options"),
    ("sendPhoto", sending.send_photo, _SEND + _CAPTION + _SHOWN + "photo"),
    (
        "sendVideo",
        sending.send_video,
        _SEND + _CAPTION + _SHOWN + _MOVING + "video cover start_timestamp supports_streaming",
    ),
    ("sendAnimation", sending.send_animation, _SEND + _CAPTION + _SHOWN + _MOVING + "animation"),
    (
        "sendDocument",
        sending.send_document,
        _SEND + _CAPTION + "document thumbnail disable_content_type_detection",
    ),
    (
        "sendMediaGroup",
        sending.send_media_group,
        "chat_id media disable_notification protect_content allow_paid_broadcast message_effect_id reply_parameters",
    ),
    ("sendChatAction", sending.send_chat_action, "chat_id action"),
    (
        "editMessageText",
        editing.edit_message_text,
        _EDIT + "text parse_mode entities link_preview_options",
    ),
    ("editMessageCaption", editing.edit_message_caption, _EDIT + _CAPTION + "show_caption_above_media"),
    ("editMessageMedia", editing.edit_message_media, _EDIT + "media"),
    ("editMessageReplyMarkup", editing.edit_message_reply_markup, _EDIT),
    ("deleteMessage", editing.delete_message, "chat_id message_id"),
    ("deleteMessages", editing.delete_messages, "chat_id message_ids"),
    (
        "answerCallbackQuery",
        answering.answer_callback_query,
        "callback_query_id text show_alert url cache_time",
    ),
    ("getFile", answering.get_file, "file_id"),
    ("getChat", answering.get_chat, "chat_id"),
    ("setMyCommands", answering.set_my_commands, "commands scope language_code"),
    ("getMyCommands", answering.get_my_commands, "scope language_code"),
    ("deleteMyCommands", answering.delete_my_commands, "scope language_code"),
    ("setMyName", _set_name, "name language_code"),
    ("getMyName", _get_name, "language_code"),
    ("setMyDescription", _set_description, "description language_code"),
    ("getMyDescription", _get_description, "language_code"),
    ("setMyShortDescription", _set_short, "short_description language_code"),
    ("getMyShortDescription", _get_short, "language_code"),
    ("setChatMenuButton", answering.set_chat_menu_button, "chat_id menu_button"),
    ("getChatMenuButton", answering.get_chat_menu_button, "chat_id"),
]

METHODS: Final = {name.lower(): Method(name, run, frozenset(parameters.split())) for name, run, parameters in _TABLE}
"""By name in lower case: the Bot API does not mind how a method is spelled."""

METHOD_NAMES: Final = frozenset(method.name for method in METHODS.values())
