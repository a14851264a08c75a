"""Buttons: what Telegram takes, what it refuses, and what the server is stricter about."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.bot_api import Calls, buttons
from tests.support.telegram import ButtonView


def inline(*row: Any) -> dict[str, Any]:
    return {"inline_keyboard": [list(row)]}


WRONG_BUTTON = "can't parse inline keyboard button: "


@pytest.mark.parametrize(
    ("markup", "description"),
    [
        (inline({"text": "x"}), WRONG_BUTTON + "Text buttons are unallowed in the inline keyboard"),
        (inline({"callback_data": "x"}), WRONG_BUTTON + 'Can\'t find field "text"'),
        (inline("x"), WRONG_BUTTON + "InlineKeyboardButton must be an Object"),
        (inline({"text": " ", "callback_data": "x"}), "button text is empty"),
        (inline({"text": "x", "callback_data": "я" * 33}), "BUTTON_DATA_INVALID"),
        (inline({"text": "x", "url": "example"}), "inline keyboard button URL 'example' is invalid: Wrong HTTP URL"),
        (inline({"text": "x", "copy_text": {"text": ""}}), "BUTTON_COPY_TEXT_INVALID"),
        (inline({"text": "x", "web_app": {"url": "http://e.org"}}), "BUTTON_URL_INVALID"),
        (
            inline({"text": "x", "callback_data": "x", "url": "https://e.org"}),
            "sandbox: button 'x' has url and callback_data; it must have exactly one action",
        ),
        (
            inline({"text": "x", "callback_data": "x", "color": "red"}),
            "sandbox: button 'x' has no field color",
        ),
        (
            inline({"text": "x", "callback_data": "x", "style": "pink"}),
            WRONG_BUTTON + "Invalid button style specified",
        ),
        (
            inline(*[{"text": "x", "callback_data": "x"}] * 9),
            "sandbox: a row of an inline keyboard shows at most 8 buttons",
        ),
        (buttons(*"x" * 101), "reply markup is too long"),
        ({"inline_keyboard": ["x"]}, "field inline_keyboard of the reply markup must be an Array of Arrays"),
        ({"keyboard": [[{"text": ""}]]}, "can't parse keyboard button: Can't find field \"text\""),
        (
            {**inline({"text": "x", "callback_data": "x"}), "remove_keyboard": True},
            "sandbox: reply_markup must be exactly one of inline_keyboard, keyboard, remove_keyboard, force_reply",
        ),
    ],
)
async def test_keyboards_that_are_refused(api: Calls, markup: dict[str, Any], description: str) -> None:
    person = await api.person()
    refusal = await api.refused("sendMessage", chat_id=person.user_id, text="x", reply_markup=markup)
    assert refusal.description == f"Bad Request: {description}"


async def test_every_action_of_a_button_is_seen(api: Calls) -> None:
    person = await api.person()
    row = [
        {"text": "Data", "callback_data": "я" * 32, "style": "success"},
        {"text": "Link", "url": "https://example.org"},
        {"text": "Copy", "copy_text": {"text": "a prompt"}},
        {"text": "Inline", "switch_inline_query_current_chat": ""},
    ]
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="x", reply_markup=inline(*row))
    assert sent["reply_markup"] == inline(*row)
    seen = (await person.messages())[-1]
    assert seen.buttons == [
        [
            ButtonView("Data", data="я" * 32, style="success"),
            ButtonView("Link", url="https://example.org"),
            ButtonView("Copy", copy_text="a prompt"),
            ButtonView("Inline", other="switch_inline_query_current_chat"),
        ]
    ]
    assert seen.labels == ["Data", "Link", "Copy", "Inline"]


async def test_an_empty_inline_keyboard_is_none(api: Calls) -> None:
    person = await api.person()
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="x", reply_markup={"inline_keyboard": []})
    assert "reply_markup" not in sent


async def test_a_reply_keyboard_stays_below_the_chat_until_it_is_removed(api: Calls) -> None:
    person = await api.person()
    keyboard = {"keyboard": [["Да", {"text": "Нет"}]], "resize_keyboard": True}
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="?", reply_markup=keyboard)
    assert "reply_markup" not in sent
    assert (await person.chat()).keyboard == [["Да", "Нет"]]
    await api.ok("sendMessage", chat_id=person.user_id, text="x")
    assert (await person.chat()).keyboard == [["Да", "Нет"]]
    gone = {"remove_keyboard": True}
    await api.ok("sendMessage", chat_id=person.user_id, text="x", reply_markup=gone)
    assert (await person.chat()).keyboard == []
