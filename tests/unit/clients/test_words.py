"""Every gallery says the same things in both languages, with the right forms."""

from __future__ import annotations

import re

import pytest

from clients.web.words import WORDS
from clients.words import LANGUAGES, language_of, load

PACKAGES = ("clients.words", "clients.web.words", "clients.telegram.words")


def _facts(phrase: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(phrase)))


@pytest.mark.parametrize("package", PACKAGES)
def test_both_languages_have_the_same_phrases_with_the_same_facts(package: str) -> None:
    phrases = load(package)
    assert phrases["ru"].keys() == phrases["en"].keys()
    for key in phrases["ru"]:
        forms = phrases["ru"][key], phrases["en"][key]
        if isinstance(forms[0], dict):
            assert [sorted(each) for each in forms] == [["few", "many", "one"], ["many", "one"]]
            assert all("{n}" in text for each in forms for text in each.values())
        else:
            assert _facts(forms[0]) == _facts(forms[1]), key


@pytest.mark.parametrize("package", PACKAGES[1:])
def test_a_gallery_says_nothing_again_that_all_say(package: str) -> None:
    assert load(package)["ru"].keys() & load("clients.words")["ru"].keys() == set()


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
def test_people_are_asked_for_their_language(asked: str, language: str) -> None:
    assert language in LANGUAGES
    assert language_of(asked) == language
