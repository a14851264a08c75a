"""What people do: they write, send pictures and files, press buttons, block the bot. Each becomes an update."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sandbox.background import in_executor
from sandbox.telegram.callbacks import CallbackAnswer
from sandbox.telegram.entities import MAX_CAPTION_CHARACTERS, MAX_TEXT_CHARACTERS, typed_by_a_person
from sandbox.telegram.inspection import film, photo_sizes
from sandbox.telegram.messages import Chat, Content, Message, Person, now
from sandbox.telegram.world import Telegram


class CannotBeDone(Exception):
    """What a person cannot do either, in words that say why. ``status`` fits HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Press(NamedTuple):
    """A press of a button, and the answer to come."""

    query_id: str
    answer: asyncio.Future[CallbackAnswer]


class People:
    """Acts for the people of one server."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    def meet(self, user_id: int, told: Mapping[str, Any] | None = None) -> Chat:
        """The chat with a person, who begins to exist; ``told`` are the fields of ``Person`` to set or change."""
        chat = self._telegram.chats.of(user_id)
        known = chat.person if chat is not None else Person(user_id, f"User {user_id}")
        return self._telegram.chats.known(replace(known, **(told or {})))

    def chat(self, user_id: int) -> Chat:
        """Raises CannotBeDone if nobody has met this person."""
        chat = self._telegram.chats.of(user_id)
        if chat is None:
            raise CannotBeDone(404, f"There is no user {user_id}; make one with PUT /telegram/users/{user_id}.")
        return chat

    def start(self, user_id: int, payload: str) -> Message:
        """Presses START, after a deep link if there is a payload."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload):
            raise CannotBeDone(400, f"A deep link cannot carry {payload!r}: at most 64 letters, digits, _ and -.")
        return self.write(user_id, f"/start {payload}".strip())

    def write(self, user_id: int, text: str) -> Message:
        """A text or a command."""
        if not 1 <= len(text.strip()) <= MAX_TEXT_CHARACTERS:
            raise CannotBeDone(400, f"A message has from 1 to {MAX_TEXT_CHARACTERS} characters.")
        return self._say(user_id, Content(text.strip(), typed_by_a_person(text.strip())))

    async def send_photo(self, user_id: int, content: bytes, caption: str) -> Message:
        """A picture, made smaller as the apps do it. Raises BotApiError if it is none."""
        sizes = await in_executor(self._telegram.executor, photo_sizes, content)
        return self._say(user_id, Content(_caption(caption), media=self._telegram.files.add_photo(sizes, content)))

    def send_document(self, user_id: int, content: bytes, name: str, caption: str) -> Message:
        """A file as it is."""
        files = self._telegram.files
        return self._say(user_id, Content(_caption(caption), media=files.add_document(content, name)))

    async def send_video(self, user_id: int, content: bytes, name: str, caption: str) -> Message:
        shot = await in_executor(self._telegram.executor, film, content)
        if shot is None:
            raise CannotBeDone(400, "This is no MPEG-4 video.")
        media = self._telegram.files.add_film("video", content, shot, name, None)
        return self._say(user_id, Content(_caption(caption), media=media))

    def press(self, user_id: int, message_id: int, label: str, times: int) -> list[Press]:
        """Presses the inline button with this data or text, ``times`` times before the bot hears of the first one."""
        chat = self.chat(user_id)
        message = chat.find(message_id)
        if message is None:
            raise CannotBeDone(404, f"There is no message {message_id} in the chat with {user_id}.")
        button = _button(message, label)
        presses = [Press(*self._telegram.callbacks.press()) for _ in range(times)]
        for press in presses:
            query = {
                "id": press.query_id,
                "from": chat.person.view(),
                "message": self._telegram.message_view(chat, message),
                "chat_instance": str(-chat.person.user_id),
                "data": button["callback_data"],
            }
            self._telegram.updates.add("callback_query", query)
        return presses

    def block(self, user_id: int, *, blocked: bool) -> None:
        """Blocks the bot, or takes that back. Does nothing if it is so already."""
        chat = self.chat(user_id)
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        change = {
            "chat": chat.view(),
            "from": chat.person.view(),
            "date": now(),
            "old_chat_member": self._bot_as_member(blocked=not blocked),
            "new_chat_member": self._bot_as_member(blocked=blocked),
        }
        self._telegram.updates.add("my_chat_member", change)
        self._telegram.changes.happened()

    def _bot_as_member(self, *, blocked: bool) -> dict[str, Any]:
        member = {"user": self._telegram.bot, "status": "kicked" if blocked else "member"}
        return member | ({"until_date": 0} if blocked else {})

    def _say(self, user_id: int, content: Content) -> Message:
        chat = self.meet(user_id)
        if chat.blocked:
            self.block(user_id, blocked=False)
        chat.started = True
        message_id = self._telegram.chats.next_message_id()
        message = Message(message_id, from_bot=False, send_time=now(), content=content)
        chat.add(message)
        self._telegram.updates.add("message", self._telegram.message_view(chat, message))
        self._telegram.changes.happened()
        return message


def _caption(caption: str) -> str:
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise CannotBeDone(400, f"A caption has at most {MAX_CAPTION_CHARACTERS} characters.")
    return caption


def _button(message: Message, label: str) -> dict[str, Any]:
    buttons = [button for row in message.inline_keyboard for button in row]
    by_data = [button for button in buttons if button.get("callback_data") == label]
    found = by_data or [button for button in buttons if button["text"] == label]
    if not found:
        there = ", ".join(repr(button["text"]) for button in buttons) or "no buttons"
        raise CannotBeDone(404, f"Message {message.message_id} has no button {label!r}; it has {there}.")
    if len(found) > 1:
        raise CannotBeDone(409, f"Message {message.message_id} has {len(found)} buttons {label!r}; press by data.")
    if "callback_data" not in found[0]:
        raise CannotBeDone(400, f"Button {label!r} tells the bot nothing when it is pressed.")
    return found[0]
