"""The methods that fetch updates and answer them, and that tell about the bot and its files."""

from __future__ import annotations

from typing import Any

from sandbox.telegram.callbacks import MAX_ANSWER_CHARACTERS, CallbackAnswer
from sandbox.telegram.calls import Call
from sandbox.telegram.errors import bad_request, conflict
from sandbox.telegram.world import Telegram

_WEBHOOK_IS_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)


async def get_me(telegram: Telegram, call: Call) -> dict[str, Any]:
    abilities = ("can_join_groups", "can_read_all_group_messages", "supports_inline_queries", "has_main_web_app")
    return {**telegram.bot, **dict.fromkeys(abilities, False), "can_connect_to_business": False}


async def get_updates(telegram: Telegram, call: Call) -> list[dict[str, Any]]:
    if telegram.webhook.url:
        raise conflict(_WEBHOOK_IS_ACTIVE)
    limit = min(max(call.integer("limit", 100), 1), 100)
    telegram.updates.allow(call.structure("allowed_updates", list))
    timeout_seconds = 0 if telegram.background.closing else call.integer("timeout")
    return await telegram.updates.poll(call.integer("offset"), limit, timeout_seconds)


async def set_webhook(telegram: Telegram, call: Call) -> bool:
    telegram.webhook.set(call)
    telegram.updates.allow(call.structure("allowed_updates", list))
    if call.flag("drop_pending_updates"):
        telegram.updates.clear()
    return True


async def delete_webhook(telegram: Telegram, call: Call) -> bool:
    telegram.webhook.delete()
    if call.flag("drop_pending_updates"):
        telegram.updates.clear()
    return True


async def get_webhook_info(telegram: Telegram, call: Call) -> dict[str, Any]:
    return telegram.webhook.info()


async def answer_callback_query(telegram: Telegram, call: Call) -> bool:
    text, url = call.text("text"), call.text("url")
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise bad_request("MESSAGE_TOO_LONG")
    if url and not url.startswith(f"https://t.me/{telegram.options.bot_username}?start="):
        raise bad_request("URL_INVALID")
    telegram.callbacks.answer(
        call.text("callback_query_id"), CallbackAnswer(text, is_alert=call.flag("show_alert"), url=url)
    )
    return True


async def get_file(telegram: Telegram, call: Call) -> dict[str, Any]:
    if not call.has("file_id"):
        raise bad_request("file_id not specified")
    file = telegram.files.file(call.text("file_id"))
    return {**file.view(), "file_path": file.path}


async def get_chat(telegram: Telegram, call: Call) -> dict[str, Any]:
    chat = telegram.chats.for_reading(call.text("chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return {
        **chat.view(),
        "accent_color_id": chat.person.user_id % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, True),
    }


async def set_my_commands(telegram: Telegram, call: Call) -> bool:
    telegram.profile.set_commands(call)
    return True


async def get_my_commands(telegram: Telegram, call: Call) -> list[dict[str, str]]:
    return telegram.profile.commands(call)


async def delete_my_commands(telegram: Telegram, call: Call) -> bool:
    telegram.profile.delete_commands(call)
    return True


async def set_chat_menu_button(telegram: Telegram, call: Call) -> bool:
    telegram.profile.set_menu_button(call)
    return True


async def get_chat_menu_button(telegram: Telegram, call: Call) -> dict[str, Any]:
    return telegram.profile.menu_button(call.text("chat_id"))
