"""Telegram's HTML: a few tags only, properly nested; every ``<`` and ``&`` that is none is ``&lt;`` and ``&amp;``.

Read by one pass over the source. What is broken is refused with its place, which counts bytes of UTF-8; the entities
that come out count UTF-16 code units.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final, NamedTuple

from sandbox.telegram.errors import BotApiError, bad_request

Entity = dict[str, Any]

_TYPES: Final = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}  # fmt: skip
_TAG: Final = re.compile(r"<(?P<slash>/?)(?P<name>[^\s>]*)(?P<more>(?:[^>\"']|\"[^\"]*\"|'[^']*')*)(?P<end>>?)")
_ATTRIBUTE: Final = re.compile(r"\s*([^\s=]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9.-]+)))?")
_REFERENCE: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|(?:lt|gt|amp|quot)(?![A-Za-z]));?")
_ADDRESS: Final = re.compile(r"(?:https?|tg|ton|mailto|tel):\S|\S+\.\S")


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Plain text and its entities, inner ones first. Raises BotApiError "can't parse entities" with the place."""
    reader = _Reader()
    position = 0
    for tag in _TAG.finditer(source):
        reader.read_text(source[position : tag.start()])
        reader.read_tag(tag, place=len(source[: tag.start()].encode()))
        position = tag.end()
    reader.read_text(source[position:])
    return reader.result()


class _Open(NamedTuple):
    """A tag that waits for its end: where its text begins, and what it says beside its name."""

    name: str
    offset: int
    start: int
    argument: str


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self._text = ""
        self._length = 0
        self._open: list[_Open] = []
        self._entities: list[Entity] = []

    def read_text(self, source: str) -> None:
        plain = _REFERENCE.sub(lambda found: unescape(found[0].rstrip(";") + ";"), source)
        self._text += plain
        self._length += utf16_length(plain)

    def read_tag(self, tag: re.Match[str], place: int) -> None:
        name, ends = tag["name"].lower(), tag["slash"] == "/"
        if not ends and name not in _TYPES and (tag["more"] or tag["end"]):
            raise _broken(f'Unsupported start tag "{name}"', place)
        if not tag["end"]:
            raise _broken(f"Unclosed {'end' if ends else 'start'} tag", place)
        if ends:
            self._close(name, place)
        else:
            self._open.append(_Open(name, self._length, len(self._text), _argument(name, tag["more"], place)))

    def result(self) -> tuple[str, list[Entity]]:
        if self._open:
            raise _broken(f'Can\'t find end tag corresponding to start tag "{self._open[-1].name}"')
        return self._text, [_without_language(entity) for entity in self._entities]

    def _close(self, name: str, place: int) -> None:
        if not self._open:
            raise _broken("Unexpected end tag", place)
        opened = self._open.pop()
        if name not in ("", opened.name):
            raise _broken("Unmatched end tag", place, f', expected "</{opened.name}>", found "</{name}>"')
        if self._length > opened.offset:
            self._add(opened)

    def _add(self, opened: _Open) -> None:
        entity: Entity = {
            "type": _TYPES[opened.name],
            "offset": opened.offset,
            "length": self._length - opened.offset,
        }
        match opened.name:
            case "a":
                entity["url"] = opened.argument or self._text[opened.start :]
                if not _ADDRESS.match(entity["url"]):
                    return
            case "pre":
                entity |= self._code_inside(entity)
            case "code" if opened.argument:
                entity["language"] = opened.argument
            case "blockquote" if opened.argument:
                entity["type"] = "expandable_blockquote"
            case "tg-emoji":
                entity["custom_emoji_id"] = opened.argument
        self._entities.append(entity)

    def _code_inside(self, pre: Entity) -> dict[str, str]:
        """``<pre><code class="language-...">`` is one entity: takes the code back, and tells its language."""
        last = self._entities[-1] if self._entities else {}
        if last.get("type") != "code" or (last["offset"], last["length"]) != (pre["offset"], pre["length"]):
            return {}
        self._entities.pop()
        return {"language": last["language"]} if "language" in last else {}


def _argument(name: str, attributes: str, place: int) -> str:
    """What a start tag says beside its name: the address, the language, the emoji."""
    if name == "blockquote" and attributes.strip() == "expandable":
        return "expandable"
    argument, position = "", 0
    while attributes[position:].strip():
        found = _ATTRIBUTE.match(attributes, position)
        value = next((value for value in found.groups()[1:] if value is not None), None) if found else None
        if found is None or value is None:
            raise _broken(f'Expected equal sign in declaration of an attribute of the tag "{name}"', place)
        match name, found[1]:
            case ("a", "href") | ("tg-emoji", "emoji-id") | ("span", "class"):
                argument = unescape(value)
            case ("code", "class") if value.startswith("language-"):
                argument = value.removeprefix("language-")
        position = found.end()
    if name == "span" and argument != "tg-spoiler":
        raise _broken('Tag "span" must have class "tg-spoiler"', place)
    return argument


def _without_language(entity: Entity) -> Entity:
    """The language of code is shown only where the code is in a ``<pre>``."""
    hidden = {"language"} if entity["type"] == "code" else set()
    return {name: value for name, value in entity.items() if name not in hidden}


def _broken(what: str, place: int | None = None, more: str = "") -> BotApiError:
    where = "" if place is None else f" at byte offset {place}"
    return bad_request(f"can't parse entities: {what}{where}{more}")
