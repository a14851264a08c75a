"""From the arguments of a call to what a message says: text, or media with a caption.

Media are uploaded with the call, or were sent before and are named by their ``file_id``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, get_args

from sandbox.background import in_executor
from sandbox.telegram.calls import Call, Upload
from sandbox.telegram.entities import formatted_caption, formatted_text
from sandbox.telegram.errors import bad_request, refuse_unknown, too_strict
from sandbox.telegram.files import Kind, Media, Size
from sandbox.telegram.inspection import Picture, film, photo_sizes, thumbnail
from sandbox.telegram.messages import Content
from sandbox.telegram.world import Telegram

_ATTACHED: Final = "attach://"
_LINK_PREVIEW: Final = {"is_disabled", "url", "prefer_small_media", "prefer_large_media", "show_above_text"}
_COMMON: Final = {"type", "media", "caption", "parse_mode", "caption_entities"}
_SHOWN: Final = _COMMON | {"show_caption_above_media", "has_spoiler"}
_MOVING: Final = _SHOWN | {"thumbnail", "width", "height", "duration"}
_FIELDS: Final[dict[Kind, set[str]]] = {
    "photo": _SHOWN,
    "video": _MOVING | {"cover", "start_timestamp", "supports_streaming"},
    "animation": _MOVING,
    "document": _COMMON | {"thumbnail", "disable_content_type_detection"},
}
"""What an ``InputMedia`` object of each type may have."""


def text_content(call: Call) -> Content:
    """The content of a text message. Raises BotApiError."""
    text, entities = formatted_text(call)
    preview = call.structure("link_preview_options", dict)
    if preview:
        refuse_unknown(preview, _LINK_PREVIEW, "link_preview_options")
    return Content(text, entities, link_preview=preview)


async def captioned_media(telegram: Telegram, call: Call, kind: Kind, field: str) -> Content:
    """The content of a media message. Raises BotApiError if the caption or the media is not as it must be."""
    text, entities = formatted_caption(call)
    return Content(
        text,
        entities,
        await _media(telegram, call, kind, field),
        has_spoiler=call.flag("has_spoiler"),
        caption_above=call.flag("show_caption_above_media"),
    )


async def input_media(telegram: Telegram, call: Call, given: Any, *, in_album: bool = False) -> Content:
    """The content that an ``InputMedia`` object of a call describes."""
    if not isinstance(given, dict):
        raise bad_request("can't parse InputMedia: expected an Object")
    kind = _kind(given, in_album)
    refuse_unknown(given, _FIELDS[kind], f"InputMedia of type {kind}")
    if in_album and kind == "document":
        given = {**given, "disable_content_type_detection": True}
    return await captioned_media(telegram, Call(call.method, given, call.files), kind, "media")


def _kind(given: dict[str, Any], in_album: bool) -> Kind:
    wanted = given.get("type")
    for kind in get_args(Kind):
        if wanted == kind and not (in_album and kind == "animation"):
            found: Kind = kind
            return found
    why = "can't be used in sendMediaGroup" if in_album and wanted == "animation" else "is unsupported"
    raise bad_request(f'can\'t parse InputMedia: type "{wanted}" {why}')


async def _media(telegram: Telegram, call: Call, kind: Kind, field: str) -> Media:
    upload = _upload(call, field)
    if upload is None:
        if not call.text(field):
            raise bad_request(f"there is no {kind} in the request")
        return telegram.files.media(call.text(field), kind)
    if kind == "photo":
        sizes = await in_executor(telegram.executor, photo_sizes, upload.content)
        return telegram.files.add_photo(sizes, upload.content)
    return await _document(telegram, call, kind, upload)


async def _document(telegram: Telegram, call: Call, kind: Kind, upload: Upload) -> Media:
    """What is uploaded as a document, video or animation becomes what it really is, unless that is switched off."""
    picture = await _thumbnail(telegram, call)
    looked_at = kind != "document" or not call.flag("disable_content_type_detection")
    shot = await in_executor(telegram.executor, film, upload.content) if looked_at else None
    if shot is None:
        return telegram.files.add_document(upload.content, upload.name, picture)
    if kind != "video":
        kind = "video" if shot.has_sound else "animation"
    cover = await _cover(telegram, call)
    media = telegram.files.add_film(kind, upload.content, shot, upload.name, picture)
    told = replace(
        media,
        width=call.integer("width") or media.width,
        height=call.integer("height") or media.height,
        duration_seconds=call.integer("duration") or media.duration_seconds,
        cover=cover,
    )
    return telegram.files.replace(told)


async def _thumbnail(telegram: Telegram, call: Call) -> Picture | None:
    if not call.has("thumbnail") and "thumbnail" not in call.files:
        return None
    upload = _upload(call, "thumbnail")
    if upload is None:
        raise too_strict("a thumbnail can only be uploaded, it is ignored otherwise")
    return await in_executor(telegram.executor, thumbnail, upload.content)


async def _cover(telegram: Telegram, call: Call) -> tuple[Size, ...]:
    if not call.has("cover"):
        return ()
    return (await _media(telegram, call, "photo", "cover")).sizes


def _upload(call: Call, field: str) -> Upload | None:
    """The file that a field stands for: attached under a name of its own, or sent as the field."""
    given = call.text(field)
    if given and not given.startswith(_ATTACHED):
        return None
    name = given.removeprefix(_ATTACHED) or field
    upload = call.files.get(name)
    if upload is None and given:
        raise bad_request(f"there is no file {name} in the request, and {field} is attached as that")
    if upload is not None and not upload.content:
        raise bad_request("file must be non-empty")
    return upload
