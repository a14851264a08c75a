"""A chat as the person in it sees it: what the control API answers, typed for both of its ends."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.telegram.files import Media
from sandbox.telegram.messages import Chat, Message


class ButtonView(msgspec.Struct, frozen=True):
    """An inline button. One of ``data``, ``url``, ``copy_text`` is set, or ``other`` names its action."""

    text: str
    data: str = ""
    url: str = ""
    copy_text: str = ""
    other: str = ""
    style: str = ""


class MediaView(msgspec.Struct, frozen=True):
    """What is to be seen beside the words.

    Attributes:
        kind: photo, video, animation or document.
        file_id: as the bot knows it.
        path: where the control API serves the bytes.
        sha256: of the bytes as they were uploaded, in hexadecimal.
        size_bytes: of what is served.
        width, height: in pixels, 0 for a document.
        duration_seconds: 0 for what does not move.
        name, mime_type: of anything but a photo.
    """

    kind: str
    file_id: str
    path: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_seconds: int
    name: str
    mime_type: str


class MessageView(msgspec.Struct, frozen=True):
    """A message.

    Attributes:
        text: its words: the text, or the caption of its media.
        entities: the formatting of the text, as the Bot API gives it.
        buttons: the rows of its inline keyboard.
        edits: how often the bot changed it, buttons included.
        edit_time, send_time: in Unix seconds; ``edit_time`` is 0 if the content was never changed.
        reply_to: the id of the message that it answers, 0 if none.
        album: what the messages of one album share, empty for others.
    """

    message_id: int
    from_bot: bool
    text: str
    entities: list[dict[str, Any]]
    media: MediaView | None
    buttons: list[list[ButtonView]]
    edits: int
    send_time: int
    edit_time: int
    reply_to: int
    album: str

    @property
    def labels(self) -> list[str]:
        """The texts of all buttons, row by row."""
        return [button.text for row in self.buttons for button in row]


class ChatView(msgspec.Struct, frozen=True):
    """A chat, oldest message first.

    Attributes:
        messages: without the deleted ones.
        action: what the bot says it is doing (typing), empty for nothing.
        keyboard: the rows of the reply keyboard, empty if there is none.
        blocked: the person has blocked the bot.
        change: grows with everything that happens in any chat.
    """

    messages: list[MessageView]
    action: str
    keyboard: list[list[str]]
    blocked: bool
    change: int


class PressView(msgspec.Struct, frozen=True):
    """What became of the press of a button.

    ``answered`` is false if the bot did not answer in time; ``text`` is shown for a moment, or in a window if
    ``is_alert``; ``url`` is opened.
    """

    query_id: str
    answered: bool
    text: str = ""
    is_alert: bool = False
    url: str = ""


class MethodCountView(msgspec.Struct, frozen=True):
    """How often a method was called, how often it was refused, and how many files came with it."""

    calls: int = 0
    refused: int = 0
    uploads: int = 0


class CallView(msgspec.Struct, frozen=True):
    """One call, its arguments as text. ``error`` is empty if it was carried out."""

    method: str
    arguments: dict[str, str]
    uploads: int
    error: str


def chat_view(chat: Chat, change: int) -> ChatView:
    rows = (chat.keyboard or {}).get("keyboard", [])
    return ChatView(
        messages=[message_view(message) for message in chat],
        action=chat.action,
        keyboard=[[button["text"] for button in row] for row in rows],
        blocked=chat.blocked,
        change=change,
    )


def message_view(message: Message) -> MessageView:
    content = message.content
    return MessageView(
        message_id=message.message_id,
        from_bot=message.from_bot,
        text=content.text,
        entities=content.entities,
        media=None if content.media is None else _media_view(content.media),
        buttons=[[_button_view(button) for button in row] for row in message.inline_keyboard],
        edits=message.edits,
        send_time=message.send_time,
        edit_time=message.edit_time,
        reply_to=message.reply_to.message_id if message.reply_to else 0,
        album=message.media_group_id,
    )


def _media_view(media: Media) -> MediaView:
    return MediaView(
        kind=media.kind,
        file_id=media.file.file_id,
        path=f"/telegram/files/{media.file.file_id}",
        sha256=media.sha256,
        size_bytes=len(media.file.content),
        width=media.width,
        height=media.height,
        duration_seconds=media.duration_seconds,
        name=media.name,
        mime_type=media.mime_type or "image/jpeg",
    )


def _button_view(button: dict[str, Any]) -> ButtonView:
    known = {"text", "callback_data", "url", "copy_text", "style", "icon_custom_emoji_id"}
    return ButtonView(
        text=button["text"],
        data=button.get("callback_data", ""),
        url=button.get("url", ""),
        copy_text=button.get("copy_text", {}).get("text", ""),
        other=next((name for name in button if name not in known), ""),
        style=button.get("style", ""),
    )
