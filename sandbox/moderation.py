"""Moderation: which texts are flagged, and the result in the vendor's shape.

Nothing is understood here. A few harmless words are flagged, so that a refusal can be shown in a demo, and the fault
kinds flag what is asked for. Scores are small and steady otherwise.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

IMAGE_CATEGORIES: Final = (
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "violence",
    "violence/graphic",
)
TEXT_CATEGORIES: Final = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "sexual/minors",
)

FLAGGED_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "forbidden": ("illicit",),
    "запрещённ": ("illicit",),
    "запрещенн": ("illicit",),
    "запретн": ("illicit",),
}
"""Beginning of a word -> the categories that it is flagged for."""

_BY_KIND: Final[dict[str, tuple[str, ...]]] = {
    "flagged": ("illicit",),
    "flagged_sexual": ("sexual",),
    "flagged_minors": ("sexual", "sexual/minors"),
    "flagged_violence": ("violence", "violence/graphic"),
    "flagged_self_harm": ("self-harm",),
    "flagged_hate": ("hate",),
}


class UnreadableInput(ValueError):
    """The moderation's input is neither text nor a list of text and pictures."""


def text_of(given: object) -> tuple[str, list[str]]:
    """All of the input's text, and which types of input there are (text, image).

    Raises:
        UnreadableInput: it is not in one of the vendor's shapes.
    """
    if isinstance(given, str):
        return given, ["text"]
    if not isinstance(given, list) or not given:
        raise UnreadableInput("'input' must be a text or a list that is not empty.")
    texts, types = [], set()
    for part in given:
        if isinstance(part, str):
            texts.append(part)
            types.add("text")
        elif isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
            types.add("text")
        elif isinstance(part, dict) and part.get("type") == "image_url" and _is_url(part.get("image_url")):
            types.add("image")
        else:
            raise UnreadableInput("'input' has a part that is neither text nor an image_url.")
    return "\n".join(texts), sorted(types, reverse=True)


def moderated(text: str, types: list[str], kind: str) -> dict[str, Any]:
    """One result. ``kind`` is the fault that shapes it, empty for none."""
    flagged = set(_BY_KIND.get(kind, ()))
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        for beginning, categories in FLAGGED_WORDS.items():
            if word.startswith(beginning):
                flagged.update(categories)
    names = sorted(IMAGE_CATEGORIES + TEXT_CATEGORIES)
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in names},
        "category_scores": {name: _score(text, name, name in flagged) for name in names},
        "category_applied_input_types": {
            name: [kind for kind in types if kind == "text" or name in IMAGE_CATEGORIES] for name in names
        },
    }


def _score(text: str, category: str, flagged: bool) -> float:
    noise = hashlib.sha256(f"{category}\n{text}".encode()).digest()[0] / 255
    return round(0.9 + 0.09 * noise if flagged else 0.0001 + 0.01 * noise, 6)


def _is_url(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("url"), str) and bool(value["url"])
