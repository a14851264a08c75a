"""What people read in the galleries, in Russian and in English: one TOML file a language, with the same keys.

The files here hold what every gallery says; each gallery has a package with the same files for what it alone says,
and reads both with ``words_of``. A phrase is a string with ``{facts}``, or a table with the forms that go with a
number: ``one``, ``few`` and ``many`` in Russian (1 кредит, 2 кредита, 5 кредитов), ``one`` and ``many`` in English.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, Literal, TypeAlias

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")
Phrases: TypeAlias = "dict[str, Any]"


def load(package: str) -> dict[Language, Phrases]:
    """The phrases of a package with a file for each language."""
    folder = resources.files(package)
    return {each: tomllib.loads(folder.joinpath(f"{each}.toml").read_text("utf-8")) for each in LANGUAGES}


class Words:
    """The phrases in one language."""

    def __init__(self, language: Language, phrases: Phrases) -> None:
        self.language: Language = language
        self._phrases = phrases

    def __call__(self, key: str, **facts: object) -> str:
        """The phrase, with its facts put in."""
        return str(self._phrases[key]).format(**facts)

    def has(self, key: str) -> bool:
        return key in self._phrases

    def either(self, key: str, other: str, **facts: object) -> str:
        """The phrase ``key``, or ``other`` where there is none: types are the operator's, and may be new."""
        return self(key if key in self._phrases else other, **facts)

    def count(self, key: str, number: int, **facts: object) -> str:
        """The form of a phrase that goes with ``number``, which is its fact ``n``."""
        return str(self._phrases[key][self.form(number)]).format(n=self.number(number), **facts)

    def form(self, number: int) -> str:
        number = abs(number)
        if self.language == "en":
            return "one" if number == 1 else "many"
        if number % 10 == 1 and number % 100 != 11:
            return "one"
        return "few" if 2 <= number % 10 <= 4 and not 12 <= number % 100 <= 14 else "many"

    def number(self, number: int) -> str:
        """With thousands apart, as each language does it."""
        return f"{number:,}".replace(",", "\u202f" if self.language == "ru" else ",")


def words_of(package: str) -> dict[Language, Words]:
    """What a gallery says: the phrases of all galleries, and those of its own package."""
    shared, own = load(__name__), load(package)
    return {language: Words(language, {**shared[language], **own[language]}) for language in LANGUAGES}


def language_of(accept_language: str) -> Language:
    """The language that somebody asks for, of those there are: Accept-Language by its weights; else English."""
    best: tuple[float, Language] = (0.0, "en")
    for part in accept_language.split(","):
        tag, _, weight = part.strip().partition(";")
        language = tag.split("-")[0].strip().lower()
        try:
            value = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        for known in LANGUAGES:
            if language == known and value > best[0]:
                best = (value, known)
    return best[1]
