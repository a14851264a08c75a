"""Text with formatting: from HTML, or with entities given, to plain text and its entities.

Offsets and lengths count UTF-16 code units, as everywhere in the Bot API.
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.telegram.calls import Call
from sandbox.telegram.errors import bad_request, too_strict
from sandbox.telegram.markup import Entity, parse_html, utf16_length

MAX_TEXT_CHARACTERS: Final = 4096
MAX_CAPTION_CHARACTERS: Final = 1024

_COMMAND: Final = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?")


def formatted_text(call: Call) -> tuple[str, list[Entity]]:
    """The text of a message. Raises BotApiError: missing, broken, empty or too long."""
    if not call.text("text"):
        raise bad_request("message text is empty")
    text, entities = _formatted(call.text("text"), call.text("parse_mode"), call.structure("entities", list))
    if not text:
        raise bad_request("text must be non-empty")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise bad_request("message is too long")
    return text, entities


def formatted_caption(call: Call) -> tuple[str, list[Entity]]:
    """A caption, which may be empty. Raises BotApiError: broken or too long."""
    given = call.structure("caption_entities", list)
    text, entities = _formatted(call.text("caption"), call.text("parse_mode"), given)
    if len(text) > MAX_CAPTION_CHARACTERS:
        raise bad_request("message caption is too long")
    return text, entities


def typed_by_a_person(text: str) -> list[Entity]:
    """The entities that Telegram finds in what a person types: commands."""
    return [
        {"type": "bot_command", "offset": utf16_length(text[: found.start()]), "length": utf16_length(found[0])}
        for found in _COMMAND.finditer(text)
    ]


def _formatted(text: str, parse_mode: str, given: list[Entity] | None) -> tuple[str, list[Entity]]:
    mode = parse_mode.strip().lower()
    if mode == "html":
        text, entities = parse_html(text)
    elif mode in ("markdown", "markdownv2"):
        raise too_strict(f"parse_mode {parse_mode} is not built here, use HTML")
    elif mode not in ("", "none"):
        raise bad_request("unsupported parse_mode")
    else:
        entities = _checked(text, given or [])
    return _trimmed(text, entities)


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without the white space around, which Telegram drops."""
    cut = utf16_length(text) - utf16_length(text.lstrip())
    trimmed = text.strip()
    end = utf16_length(trimmed)
    kept = []
    for entity in entities:
        first = max(entity["offset"] - cut, 0)
        last = min(entity["offset"] - cut + entity["length"], end)
        if last > first:
            kept.append({**entity, "offset": first, "length": last - first})
    return trimmed, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))


def _checked(text: str, given: list[Entity]) -> list[Entity]:
    """The entities that were given, each inside of the text."""
    end = utf16_length(text)
    for entity in given:
        if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
            raise bad_request("can't parse MessageEntity: an Object with a type expected")
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int) or not 0 <= offset < offset + length <= end:
            raise too_strict(f"entity {entity['type']} does not lie inside of the text, and is dropped")
    return given
