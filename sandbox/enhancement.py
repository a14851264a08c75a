"""What the language model answers: a better prompt, in English, in the JSON shape that was asked for.

The words of the user stay: Russian ones that are known are put into English, the others are quoted, and light and
composition are added, chosen by the prompt itself. Words for the sandbox pass through untouched, so that a fault
ordered in a prompt reaches the vendor that it is meant for.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from sandbox.faults import without_words, words_in
from sandbox.glossary import in_english

_LIGHT: Final = (
    "soft golden-hour light with long shadows",
    "gentle diffused morning light",
    "warm rim light against a cool background",
    "clear natural light with delicate reflections",
    "moody low-key light with a glowing highlight",
)
_COMPOSITION: Final = (
    "composed by the rule of thirds with plenty of breathing space",
    "a wide establishing view with layered depth",
    "a balanced central composition with leading lines",
    "a low viewpoint with a calm, open horizon",
)
_FINISH: Final = (
    "fine detail, natural colours, shallow depth of field",
    "rich texture, harmonious palette, crisp focus on the subject",
    "subtle film grain, cinematic colour, high detail",
)
_MAX_DEPTH: Final = 8


def enhanced(prompt: str) -> str:
    """The improved prompt; the same for the same prompt."""
    choice = hashlib.sha256(prompt.encode()).digest()
    parts = (
        in_english(without_words(prompt)).strip(" .,;"),
        _LIGHT[choice[0] % len(_LIGHT)],
        _COMPOSITION[choice[1] % len(_COMPOSITION)],
        _FINISH[choice[2] % len(_FINISH)],
    )
    orders = "".join(f" [sandbox:{word}]" for word in words_in(prompt))
    return ", ".join(parts) + orders


def answer_text(text: str, schema: dict[str, Any] | None, kind: str) -> str:
    """The answer to what the user said. ``kind`` is the fault that shapes it, empty for none."""
    prompt = _prompt_in(text)
    if kind == "broken_text":
        return '{"prompt": "a picture of'
    if kind == "wrong_shape":
        return json.dumps({"answer": [enhanced(prompt)]})
    better = {"empty": "", "too_long": (enhanced(prompt) + " ") * 200}.get(kind, enhanced(prompt))
    if kind == "too_long":
        better = better[:20_000].ljust(20_000, ".")
    answer = better if schema is None else json.dumps(_filled(schema, "", better, prompt, schema), ensure_ascii=False)
    return answer[: len(answer) // 2] if kind == "incomplete" else answer


def _prompt_in(text: str) -> str:
    """The prompt alone, where it was sent as JSON with a field of that name."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    if isinstance(parsed, dict) and isinstance(parsed.get("prompt"), str):
        return str(parsed["prompt"])
    return text


def _filled(schema: dict[str, Any], name: str, better: str, prompt: str, root: dict[str, Any], depth: int = 0) -> Any:
    """A value that satisfies the schema, with the better prompt in every field that sounds like one."""
    if depth > _MAX_DEPTH:
        return None
    if "$ref" in schema:
        schema = root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        language = _language(prompt)
        return language if language in schema["enum"] else schema["enum"][0]
    if "anyOf" in schema:
        return _filled(schema["anyOf"][0], name, better, prompt, root, depth + 1)
    kind = schema.get("type", "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {
            field: _filled(inner, field, better, prompt, root, depth + 1)
            for field, inner in schema.get("properties", {}).items()
        }
    if kind == "string":
        return _language(prompt) if "lang" in name.lower() else better
    return {"array": [], "boolean": False, "integer": 0, "number": 0.0}.get(str(kind))


def _language(prompt: str) -> str:
    return "ru" if any("а" <= letter <= "я" or letter == "ё" for letter in prompt.lower()) else "en"
