"""What people do and see: presses and their answers, blocking, commands, waiting for what comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.telegram import TelegramOptions
from tests.support.bot_api import Calls, Refusal, buttons, calling, picture
from tests.support.telegram import BOUND_SECONDS, NO_LIMITS, MessageView, NotSeen, PressView, Refused, TelegramUser

TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def asked(api: Calls, person: TelegramUser) -> MessageView:
    """A message with two buttons, as the person sees it."""
    await api.ok("sendMessage", chat_id=person.user_id, text="?", reply_markup=buttons("Yes", "No"))
    return (await person.messages())[-1]


async def next_query(api: Calls) -> dict[str, Any]:
    """The press that the bot hears of next; what was before is passed over."""
    offset = 0
    while True:
        for update in await api.ok("getUpdates", offset=offset, timeout=50):
            if "callback_query" in update:
                query: dict[str, Any] = update["callback_query"]
                return query
            offset = update["update_id"] + 1


async def test_a_press_is_answered_once(api: Calls) -> None:
    person = await api.person()
    message = await asked(api, person)
    press = asyncio.create_task(person.press(message, "Yes"))
    query = await next_query(api)
    assert (query["data"], query["from"]["id"]) == ("yes", person.user_id)
    assert query["message"]["message_id"] == message.message_id
    assert query["message"]["reply_markup"] == buttons("Yes", "No")
    answer = {"callback_query_id": query["id"], "text": "Готово", "show_alert": True}
    assert await api.ok("answerCallbackQuery", **answer) is True
    seen = await asyncio.wait_for(press, BOUND_SECONDS)
    assert seen == PressView(query["id"], answered=True, text="Готово", is_alert=True)
    assert await api.refused("answerCallbackQuery", **answer) == Refusal(400, TOO_OLD)


async def test_a_press_that_nobody_answers(api: Calls) -> None:
    person = await api.person()
    press = await person.press(await asked(api, person), "no", wait_seconds=0)
    assert not press.answered
    query = await next_query(api)
    assert (query["id"], query["data"]) == (press.query_id, "no")


async def test_a_nervous_finger_presses_twice(api: Calls) -> None:
    person = await api.person()
    message = await asked(api, person)
    presses = await person.press_at_once(message, "Yes", times=2, wait_seconds=0)
    updates = [update["callback_query"] for update in await api.ok("getUpdates") if "callback_query" in update]
    assert [update["id"] for update in updates] == [press.query_id for press in presses]
    assert [update["data"] for update in updates] == ["yes", "yes"]


async def test_a_press_cannot_be_answered_for_ever() -> None:
    async with calling(TelegramOptions(flood=NO_LIMITS, callback_seconds=0.001)) as api:
        person = await api.person()
        press = await person.press(await asked(api, person), "Yes", wait_seconds=0.01)
        refusal = await api.refused("answerCallbackQuery", callback_query_id=press.query_id)
        assert refusal == Refusal(400, TOO_OLD)


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({"callback_query_id": "1"}, TOO_OLD),
        ({}, TOO_OLD),
        ({"callback_query_id": "1", "text": "я" * 201}, "Bad Request: MESSAGE_TOO_LONG"),
        ({"callback_query_id": "1", "url": "https://e.org"}, "Bad Request: URL_INVALID"),
    ],
)
async def test_answers_that_are_refused(api: Calls, arguments: dict[str, Any], description: str) -> None:
    assert await api.refused("answerCallbackQuery", **arguments) == Refusal(400, description)


async def test_only_a_button_that_is_there_can_be_pressed(api: Calls) -> None:
    person = await api.person()
    message = await asked(api, person)
    with pytest.raises(Refused, match=r"has no button 'Maybe'; it has 'Yes', 'No'"):
        await person.press(message, "Maybe")
    with pytest.raises(Refused, match="There is no message"):
        await person.press(message.message_id + 1, "Yes")
    two = {"inline_keyboard": [[{"text": "x", "callback_data": "1"}, {"text": "x", "callback_data": "2"}]]}
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="?", reply_markup=two)
    with pytest.raises(Refused, match="has 2 buttons 'x'; press by data"):
        await person.press(sent["message_id"], "x")
    link = {"inline_keyboard": [[{"text": "x", "url": "https://e.org"}]]}
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="?", reply_markup=link)
    with pytest.raises(Refused, match="tells the bot nothing"):
        await person.press(sent["message_id"], "x")


async def test_a_bot_cannot_write_first_nor_to_who_has_blocked_it(api: Calls) -> None:
    person = await api.people.user()
    chat = {"chat_id": person.user_id, "text": "x"}
    first = await api.refused("sendMessage", **chat)
    assert first == Refusal(403, "Forbidden: bot can't initiate conversation with a user")
    await person.start()
    sent = await api.ok("sendMessage", **chat)
    await person.block()
    blocked = Refusal(403, "Forbidden: bot was blocked by the user")
    assert await api.refused("sendMessage", **chat) == blocked
    assert await api.refused("sendChatAction", chat_id=person.user_id, action="typing") == blocked
    assert await api.refused("editMessageText", **chat, message_id=sent["message_id"]) == blocked
    assert (await person.chat()).blocked
    await person.unblock()
    await api.ok("sendMessage", **chat)
    await person.block()
    await person.send("again")
    assert not (await person.chat()).blocked
    statuses = [
        (update["my_chat_member"]["old_chat_member"]["status"], update["my_chat_member"]["new_chat_member"]["status"])
        for update in await api.ok("getUpdates")
        if "my_chat_member" in update
    ]
    assert statuses == [("member", "kicked"), ("kicked", "member")] * 2


async def test_what_the_bot_is_doing_is_seen_until_it_writes(api: Calls) -> None:
    person = await api.person()
    await api.ok("sendChatAction", chat_id=person.user_id, action="upload_photo")
    assert (await person.chat()).action == "upload_photo"
    await api.ok("sendMessage", chat_id=person.user_id, text="x")
    assert (await person.chat()).action == ""
    wrong = await api.refused("sendChatAction", chat_id=person.user_id, action="thinking")
    assert wrong.description == "Bad Request: wrong parameter action in request"


async def test_commands_are_offered_in_the_persons_language(api: Calls) -> None:
    russian = [{"command": "new", "description": "Новая картинка"}]
    english = [{"command": "new", "description": "New picture"}]
    scope = {"type": "all_private_chats"}
    await api.ok("setMyCommands", commands=english, scope=scope)
    await api.ok("setMyCommands", commands=russian, scope=scope, language_code="ru")
    await api.ok("setMyDescription", description="Картинки", language_code="ru")
    await api.ok("setMyShortDescription", short_description="Pictures")
    anna, john = await api.people.user(language_code="ru"), await api.people.user(language_code="en-GB")
    assert await anna.commands() == {
        "commands": russian,
        "name": "Triptych",
        "description": "Картинки",
        "short_description": "Pictures",
    }
    assert (await john.commands())["commands"] == english
    assert await api.ok("getMyCommands", scope=scope, language_code="ru") == russian
    assert await api.ok("getMyCommands") == []
    assert await api.ok("getMyDescription", language_code="ru") == {"description": "Картинки"}
    await api.ok("deleteMyCommands", scope=scope, language_code="ru")
    assert (await anna.commands())["commands"] == english
    button = {"type": "commands"}
    assert await api.ok("setChatMenuButton", menu_button=button) is True
    assert await api.ok("getChatMenuButton") == button


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({"commands": [{"command": "New", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "n" * 33, "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "new", "description": " "}]}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"commands": [{"command": "new", "description": "x"}] * 101}, "too many bot commands specified"),
        ({"commands": [{"command": "new"}]}, "can't parse BotCommand: command and description are needed"),
        ({"commands": [], "language_code": "rus"}, "invalid language code specified"),
        ({"commands": [], "scope": {"type": "all"}}, "can't parse BotCommandScope: unsupported type specified"),
        ({}, 'can\'t find field "commands"'),
    ],
)
async def test_commands_that_are_refused(api: Calls, arguments: dict[str, Any], description: str) -> None:
    assert (await api.refused("setMyCommands", **arguments)).description == f"Bad Request: {description}"


async def test_waiting_ends_when_it_is_seen_and_tells_the_chat_when_it_is_not(api: Calls) -> None:
    person = await api.person()
    waiting = asyncio.create_task(person.wait_for_message(lambda message: message.text == "second"))
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="first", reply_markup=buttons("Yes"))
    await api.ok("editMessageText", chat_id=person.user_id, message_id=sent["message_id"], text="second")
    assert (await asyncio.wait_for(waiting, BOUND_SECONDS)).message_id == sent["message_id"]
    with pytest.raises(NotSeen, match=r"bot 'second'"):
        await person.wait_for(lambda chat: len(chat.messages) > 5, timeout_seconds=0.1)


async def test_what_nobody_can_do(api: Calls) -> None:
    person = await api.people.user()
    with pytest.raises(Refused, match="from 1 to 4096 characters"):
        await person.send(" ")
    with pytest.raises(Refused, match="deep link"):
        await person.start("item 42")
    with pytest.raises(Refused, match="no MPEG-4 video"):
        await person.send_video(b"nothing")
    with pytest.raises(Refused, match="empty"):
        await person.send_document(b"", "a.txt")
    with pytest.raises(Refused, match="IMAGE_PROCESS_FAILED"):
        await person.send_photo(b"nothing")
    with pytest.raises(Refused, match="There is no user 5"):
        await api.people.order("GET", "/telegram/users/5/chat")
    with pytest.raises(Refused, match="unknown field `name`"):
        await api.people.user(name="Anna")


async def test_a_reset_forgets_people_and_keeps_files_and_numbers(api: Calls) -> None:
    person = await api.person()
    photo = await person.send_photo(picture())
    assert photo.media is not None
    await api.people.reset()
    with pytest.raises(Refused, match="There is no user"):
        await person.messages()
    assert await api.ok("getUpdates") == []
    again = await api.person()
    sent = await api.ok("sendPhoto", chat_id=again.user_id, photo=photo.media.file_id)
    assert sent["message_id"] > photo.message_id
