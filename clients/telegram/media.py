"""Pictures and videos of the gallery as Telegram's.

A file is uploaded once; afterwards Telegram's id of it is sent. Telegram takes photos up to 10 MB and of certain
sizes (of larger ones the thumbnail is shown, and the original comes as a document), and other files up to 50 MB from
a bot. A video comes with its size, its length and a JPEG of at most 320 pixels a side, so that chats show it before
it is loaded.
Sources: core.telegram.org/bots/api, "Sending files", sendPhoto, sendVideo.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)
from PIL import Image

from clients.sdk import Item, Media, MediaKind
from clients.telegram.bot import Shared
from clients.telegram.store.file_ids import Kind
from clients.telegram.telling import says

MAX_PHOTO_BYTES = 10 * 10**6
MAX_PHOTO_SIDES = 10_000
"""Width and height together, in pixels."""
MAX_PHOTO_RATIO = 20
MAX_FILE_BYTES = 50 * 10**6
MAX_COVER_SIDE = 320
UPLOADS_AT_ONCE = 4
UPLOAD_TIMEOUT_SECONDS = 300
BAD_FILE_ID = ("wrong file identifier", "wrong remote file identifier", "file_reference")

File: TypeAlias = "str | BufferedInputFile"
T = TypeVar("T")


class TooLarge(Exception):
    """A file that Telegram takes from no bot. ``size_bytes`` is its size."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The file has {size_bytes} bytes; Telegram takes at most {MAX_FILE_BYTES} from a bot.")
        self.size_bytes = size_bytes


class MediaSender:
    """Sends items, and puts them into messages."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def send(
        self, chat_id: int, item: Item, caption: str, keyboard: InlineKeyboardMarkup | None = None
    ) -> Message:
        """A new message with the item."""
        bot, kind = self._shared.bot, kind_of(item)

        async def send(file: File) -> Message:
            if kind == "photo":
                return await bot.send_photo(
                    chat_id,
                    file,
                    caption=caption,
                    reply_markup=keyboard,
                    request_timeout=UPLOAD_TIMEOUT_SECONDS,
                )
            return await bot.send_video(
                chat_id,
                file,
                caption=caption,
                reply_markup=keyboard,
                width=item.media.width,
                height=item.media.height,
                duration=round(item.media.duration_seconds),
                supports_streaming=True,
                thumbnail=await self._cover(item, file),
                request_timeout=UPLOAD_TIMEOUT_SECONDS,
            )

        return await self._with_file(item, kind, send)

    async def put(
        self, chat_id: int, message_id: int, item: Item, caption: str, keyboard: InlineKeyboardMarkup
    ) -> None:
        """Makes a message with a picture or a video show this item. Raises TelegramBadRequest if it is gone."""
        bot, kind = self._shared.bot, kind_of(item)

        async def put(file: File) -> Message | None:
            media: InputMediaPhoto | InputMediaVideo = InputMediaPhoto(media=file, caption=caption)
            if kind == "video":
                media = InputMediaVideo(
                    media=file,
                    caption=caption,
                    width=item.media.width,
                    height=item.media.height,
                    duration=round(item.media.duration_seconds),
                    supports_streaming=True,
                    thumbnail=await self._cover(item, file),
                )
            edited = await bot.edit_message_media(
                media,
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=keyboard,
                request_timeout=UPLOAD_TIMEOUT_SECONDS,
            )
            return edited if isinstance(edited, Message) else None

        await self._with_file(item, kind, put)

    async def send_document(self, chat_id: int, item: Item) -> Message:
        """The original file, as it was made. Raises TooLarge."""

        async def send(file: File) -> Message:
            return await self._shared.bot.send_document(
                chat_id,
                file,
                disable_content_type_detection=True,
                request_timeout=UPLOAD_TIMEOUT_SECONDS,
            )

        if item.media.size_bytes > MAX_FILE_BYTES:
            raise TooLarge(item.media.size_bytes)
        return await self._with_file(item, "document", send)

    async def _with_file(self, item: Item, kind: Kind, send: Callable[[File], Awaitable[T]]) -> T:
        """Sends by Telegram's id if there is one and it is still good, else the bytes; keeps the id."""
        file_ids, key = self._shared.file_ids, key_of(item, kind)
        known = await file_ids.get(key, kind)
        if known is not None:
            try:
                return await send(known)
            except TelegramBadRequest as error:
                if not says(error, *BAD_FILE_ID):
                    raise
                await file_ids.forget(key, kind)
        async with self._uploads:
            sent = await send(await self._bytes(item, thumbnail=key != item.media.key))
        file_id = _file_id(sent, kind)
        if file_id is not None:
            await file_ids.put(key, kind, file_id)
        return sent

    async def _bytes(self, item: Item, *, thumbnail: bool) -> BufferedInputFile:
        stream = await self._shared.client.open_media(item.user_id, item.item_id, thumbnail=thumbnail)
        content = b"".join([chunk async for chunk in stream])
        return BufferedInputFile(content, stream.info.file_name)

    async def _cover(self, item: Item, file: File) -> BufferedInputFile | None:
        """The small picture for a video that is uploaded; one that Telegram has already has its own."""
        if isinstance(file, str):
            return None
        poster = await self._bytes(item, thumbnail=True)
        return BufferedInputFile(await asyncio.to_thread(small_jpeg, poster.data), "cover.jpg")


def kind_of(item: Item) -> Kind:
    """How an item is shown; a video that is too large for Telegram is shown by its poster."""
    fits = item.media.size_bytes <= MAX_FILE_BYTES
    return "video" if item.kind is MediaKind.VIDEO and fits else "photo"


def key_of(item: Item, kind: Kind) -> str:
    """The key of the file that is sent: the original's, or the thumbnail's where that is no photo for Telegram."""
    if kind != "photo" or (item.kind is MediaKind.IMAGE and _is_photo(item.media)):
        return item.media.key
    return item.thumbnail.key


def _is_photo(media: Media) -> bool:
    """Whether Telegram takes a picture as a photo."""
    long, short = max(media.width, media.height), max(1, min(media.width, media.height))
    fits = long + short <= MAX_PHOTO_SIDES and long <= MAX_PHOTO_RATIO * short
    return fits and media.size_bytes <= MAX_PHOTO_BYTES


def _file_id(sent: object, kind: Kind) -> str | None:
    if not isinstance(sent, Message):
        return None
    if kind == "photo":
        return sent.photo[-1].file_id if sent.photo else None
    file = sent.video if kind == "video" else sent.document
    return file.file_id if file else None


def small_jpeg(content: bytes) -> bytes:
    """A picture as Telegram wants a video's small one."""
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((MAX_COVER_SIDE, MAX_COVER_SIDE))
    target = io.BytesIO()
    small.save(target, "JPEG", quality=85)
    return target.getvalue()
