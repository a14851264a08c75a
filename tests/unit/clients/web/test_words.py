"""Both languages say the same things, with the right forms, and the templates use words that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import clients.web
from clients.web.words import LANGUAGES, PHRASES, WORDS, language_of

FOLDER = Path(clients.web.__file__).parent


def _facts(phrase: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(phrase)))


def test_both_languages_have_the_same_phrases_with_the_same_facts() -> None:
    assert PHRASES["ru"].keys() == PHRASES["en"].keys()
    for key in PHRASES["ru"]:
        forms = PHRASES["ru"][key], PHRASES["en"][key]
        if isinstance(forms[0], dict):
            assert [sorted(each) for each in forms] == [["few", "many", "one"], ["many", "one"]]
            assert all("{n}" in text for each in forms for text in each.values())
        else:
            assert _facts(forms[0]) == _facts(forms[1]), key


def test_templates_and_pages_use_words_that_there_are() -> None:
    sources = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py")]
    used = {
        key
        for path in sources
        for key in re.findall(
            r"\b(?:w|words)(?:\.count|\.either)?\(\s*[\"'](\w+)[\"']\s*[,)]", path.read_text("utf-8")
        )
    }
    assert len(used) > 80
    assert used <= PHRASES["ru"].keys()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 кредитов"),
        (1, "1 кредит"),
        (2, "2 кредита"),
        (5, "5 кредитов"),
        (11, "11 кредитов"),
        (14, "14 кредитов"),
        (21, "21 кредит"),
        (102, "102 кредита"),
        (1000, "1\u202f000 кредитов"),
    ],
)
def test_numbers_have_their_form(number: int, said: str) -> None:
    assert WORDS["ru"].count("credits", number) == said


def test_english_has_two_forms() -> None:
    assert [WORDS["en"].count("credits", number) for number in (1, 2, 1000)] == [
        "1 credit",
        "2 credits",
        "1,000 credits",
    ]


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en-GB,en;q=0.9,ru;q=0.8", "en"),
        ("de;q=1, ru;q=0.3", "ru"),
        ("fr, de;q=x", "en"),
    ],
)
def test_the_browser_is_asked_for_its_language(asked: str, language: str) -> None:
    assert language in LANGUAGES
    assert language_of(asked) == language
