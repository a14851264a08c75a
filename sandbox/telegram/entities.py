"""Text with formatting: from HTML, or with entities given, to plain text and its entities.

Offsets and lengths count UTF-16 code units, as everywhere in the Bot API; errors count bytes of UTF-8. The rules are
those of Telegram's HTML parser: a few tags only, nested properly, and every ``<`` and ``&`` that is none is
written as ``&lt;`` and ``&amp;``.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final

from sandbox.telegram.calls import Call
from sandbox.telegram.errors import BotApiError, bad_request, too_strict

MAX_TEXT_CHARACTERS: Final = 4096
MAX_CAPTION_CHARACTERS: Final = 1024

Entity = dict[str, Any]

_TYPES: Final = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
_TAG: Final = re.compile(r"<(/?)([^\s>]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*)(>?)")
_ATTRIBUTE: Final = re.compile(r"\s*([^\s=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9.-]+)))?")
_REFERENCE: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|(?:lt|gt|amp|quot)(?![A-Za-z]));?")
_COMMAND: Final = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?")


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


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
    end = utf16_length(text)
    for entity in given:
        if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
            raise bad_request("can't parse MessageEntity: an Object with a type expected")
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int) or not 0 <= offset < offset + length <= end:
            raise bad_request(f"entity {entity['type']} must lie inside of the text")
    return given


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Plain text and entities. Raises BotApiError "can't parse entities" with the place."""
    text, length, position = "", 0, 0
    opened: list[tuple[str, int, str, int]] = []
    entities: list[Entity] = []
    while position < len(source):
        found = source.find("<", position)
        plain = _unescaped(source[position : found if found >= 0 else len(source)])
        text, length = text + plain, length + utf16_length(plain)
        if found < 0:
            break
        tag = _TAG.match(source, found)
        place = len(source[:found].encode())
        assert tag is not None, "it matches every <"
        name, position = tag[2].lower(), tag.end()
        if not tag[1] and (tag[3] or tag[4]) and name not in _TYPES:
            raise _broken(f'Unsupported start tag "{name}"', place)
        if not tag[4]:
            raise _broken(f"Unclosed {'end' if tag[1] else 'start'} tag", place)
        if not tag[1]:
            opened.append((name, length, _argument(name, tag[3], place), len(text)))
            continue
        if not opened:
            raise _broken("Unexpected end tag", place)
        started, offset, argument, start = opened.pop()
        if name not in ("", started):
            raise _broken("Unmatched end tag", place, f', expected "</{started}>", found "</{name}>"')
        if length > offset:
            entities.extend(_entity(started, offset, length - offset, argument, text[start:], entities))
    if opened:
        raise _broken(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return text, [_without_language(entity) if entity["type"] == "code" else entity for entity in entities]


def _without_language(code: Entity) -> Entity:
    """The language of code is shown only where the code is in a ``<pre>``."""
    return {name: value for name, value in code.items() if name != "language"}


def _unescaped(text: str) -> str:
    return _REFERENCE.sub(lambda found: unescape(found[0] if found[0].endswith(";") else found[0] + ";"), text)


def _argument(name: str, attributes: str, place: int) -> str:
    """What a start tag says beside its name: the address, the language, the emoji."""
    argument, position = "", 0
    while attributes[position:].strip():
        found = _ATTRIBUTE.match(attributes, position)
        if found is None or all(value is None for value in found.groups()[1:]):
            if name == "blockquote" and attributes.strip() == "expandable":
                return "expandable"
            raise _broken(f'Expected equal sign in declaration of an attribute of the tag "{name}"', place)
        value = unescape(next(value for value in found.groups()[1:] if value is not None))
        match name, found[1]:
            case ("a", "href") | ("tg-emoji", "emoji-id"):
                argument = value
            case ("code", "class"):
                argument = value.removeprefix("language-") if value.startswith("language-") else ""
            case ("span", "class"):
                argument = value
        position = found.end()
    if name == "span" and argument != "tg-spoiler":
        raise _broken('Tag "span" must have class "tg-spoiler"', place)
    return argument


def _entity(name: str, offset: int, length: int, argument: str, inner: str, before: list[Entity]) -> list[Entity]:
    """The entity of a closed tag; none where an address is no address. ``<pre><code>`` is one entity."""
    entity: Entity = {"type": _TYPES[name], "offset": offset, "length": length}
    if name == "a":
        address = argument or inner
        if not re.match(r"(?:https?|tg|ton|mailto|tel):\S", address) and "." not in address:
            return []
        return [{**entity, "url": address}]
    if name == "pre" and before and before[-1] == {**before[-1], "type": "code", "offset": offset, "length": length}:
        inner_code = before.pop()
        return [{**entity, **({"language": inner_code["language"]} if "language" in inner_code else {})}]
    if name == "code" and argument:
        return [{**entity, "language": argument}]
    if name == "blockquote" and argument:
        return [{**entity, "type": "expandable_blockquote"}]
    if name == "tg-emoji":
        return [{**entity, "custom_emoji_id": argument}]
    return [entity]


def _broken(what: str, place: int | None = None, more: str = "") -> BotApiError:
    where = "" if place is None else f" at byte offset {place}"
    return bad_request(f"can't parse entities: {what}{where}{more}")
