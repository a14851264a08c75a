"""People, their chats with the bot, and the messages in them, as both sides see them."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sandbox.telegram.errors import bad_request, forbidden
from sandbox.telegram.files import Media
from sandbox.telegram.keyboards import Markup
from sandbox.telegram.markup import Entity

MAX_MESSAGES_IN_A_CHAT: Final = 10_000


@dataclass(frozen=True)
class Person:
    """A user of Telegram."""

    user_id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""

    def names(self) -> dict[str, Any]:
        names = {"first_name": self.first_name, "last_name": self.last_name, "username": self.username}
        return {name: value for name, value in names.items() if value}

    def view(self) -> dict[str, Any]:
        language = {"language_code": self.language_code} if self.language_code else {}
        return {"id": self.user_id, "is_bot": False, **self.names(), **language}


@dataclass(frozen=True)
class Content:
    """What a message says: text with formatting, or media with a caption."""

    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    media: Media | None = None
    has_spoiler: bool = False
    caption_above: bool = False
    link_preview: dict[str, Any] | None = None

    def view(self) -> dict[str, Any]:
        name = "text" if self.media is None else "caption"
        view: dict[str, Any] = {} if self.media is None else self.media.view()
        if self.text:
            view[name] = self.text
        if self.entities:
            view["entities" if self.media is None else "caption_entities"] = self.entities
        if self.link_preview:
            view["link_preview_options"] = self.link_preview
        flags = {"has_media_spoiler": self.has_spoiler, "show_caption_above_media": self.caption_above}
        return view | {flag: True for flag, on in flags.items() if on}


@dataclass
class Message:
    """A message in a private chat. ``edit_time`` is 0 until its content is edited. Times in Unix seconds."""

    message_id: int
    from_bot: bool
    send_time: int
    content: Content
    markup: Markup | None = None
    edit_time: int = 0
    edits: int = 0
    reply_to: Message | None = None
    media_group_id: str = ""
    is_protected: bool = False

    @property
    def inline_keyboard(self) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = (self.markup or {}).get("inline_keyboard", [])
        return rows


class Chat:
    """The private chat of a person with the bot.

    Attributes:
        person: who it is with.
        started: the person has written to the bot, so the bot may write too.
        blocked: the person does not want to hear from the bot.
        action: what the bot says it is doing (typing, upload_photo), until its next message.
        keyboard: the reply keyboard below the chat, None if there is none.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.started = False
        self.blocked = False
        self.action = ""
        self.keyboard: Markup | None = None
        self._messages: dict[int, Message] = {}

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages.values())

    def add(self, message: Message) -> None:
        """Appends a message; the oldest is forgotten when there are too many."""
        self._messages[message.message_id] = message
        if len(self._messages) > MAX_MESSAGES_IN_A_CHAT:
            del self._messages[next(iter(self._messages))]
        if not message.from_bot:
            return
        self.action = ""
        if message.markup and "keyboard" in message.markup:
            self.keyboard = message.markup
        elif message.markup and "remove_keyboard" in message.markup:
            self.keyboard = None

    def find(self, message_id: int) -> Message | None:
        return self._messages.get(message_id)

    def remove(self, message_id: int) -> bool:
        """Deletes a message for both sides; False if there was none."""
        return self._messages.pop(message_id, None) is not None

    def view(self) -> dict[str, Any]:
        return {"id": self.person.user_id, "type": "private", **self.person.names()}

    def message_view(self, message: Message, bot: dict[str, Any]) -> dict[str, Any]:
        """The message as the Bot API shows it."""
        view: dict[str, Any] = {
            "message_id": message.message_id,
            "from": bot if message.from_bot else self.person.view(),
            "chat": self.view(),
            "date": message.send_time,
            **message.content.view(),
        }
        if message.inline_keyboard:
            view["reply_markup"] = message.markup
        if message.edit_time:
            view["edit_date"] = message.edit_time
        if message.media_group_id:
            view["media_group_id"] = message.media_group_id
        if message.is_protected:
            view["has_protected_content"] = True
        if message.reply_to is not None:
            # One step only: what the answered message answered is not shown.
            view["reply_to_message"] = self.message_view(replace(message.reply_to, reply_to=None), bot)
        return view


class Chats:
    """All chats of the bot. Message ids are counted over all of them, and never given twice."""

    def __init__(self) -> None:
        self._by_id: dict[int, Chat] = {}
        self._message_ids = itertools.count(1)

    def known(self, person: Person) -> Chat:
        """The chat with a person, who may have changed their name or language."""
        chat = self._by_id.setdefault(person.user_id, Chat(person))
        chat.person = person
        return chat

    def of(self, user_id: int) -> Chat | None:
        return self._by_id.get(user_id)

    def all(self) -> list[Chat]:
        return list(self._by_id.values())

    def for_reading(self, chat_id: str) -> Chat:
        """The chat that a bot means. Raises BotApiError if it does not know it."""
        if not chat_id:
            raise bad_request("chat_id is empty")
        chat = self._by_id.get(int(chat_id)) if re.fullmatch(r"-?\d{1,20}", chat_id) else None
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def for_writing(self, chat_id: str) -> Chat:
        """The same, if the bot may write there."""
        chat = self.for_reading(chat_id)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        if not chat.started:
            raise forbidden("bot can't initiate conversation with a user")
        return chat

    def next_message_id(self) -> int:
        return next(self._message_ids)

    def clear(self) -> None:
        self._by_id.clear()


def now() -> int:
    """Unix time in seconds, as messages are dated."""
    return int(time.time())
