"""The command line's words in both languages, and what it does to words of users."""

from __future__ import annotations

import string

import pytest

from clients import sdk
from clients.cli.output import clean, file_size
from clients.cli.problems import Usage, exit_code, sentences
from clients.cli.words import PHRASES, Words, locale_language
from clients.sdk.errors import Refusal, Violation

RU, EN = Words("ru"), Words("en")


@pytest.mark.parametrize("key", PHRASES)
def test_a_phrase_has_the_same_facts_in_both_languages(key: str) -> None:
    ru, en = ({name for _, name, _, _ in string.Formatter().parse(text) if name} for text in PHRASES[key])
    assert ru == en


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [("state", sdk.GenerationState), ("entry", sdk.LedgerEntryKind), ("cause", sdk.RefundCause)],
)
def test_every_word_of_the_contract_has_a_phrase(prefix: str, kind: type[sdk.GenerationState]) -> None:
    for member in kind:
        if member.value:
            assert f"{prefix}.{member.value}" in PHRASES
    assert EN.named(prefix, "newer than this program") == EN(f"{prefix}.unknown")


@pytest.mark.parametrize(
    ("count", "ru", "en"),
    [
        (0, "0 кредитов", "0 credits"),
        (1, "1 кредит", "1 credit"),
        (2, "2 кредита", "2 credits"),
        (5, "5 кредитов", "5 credits"),
        (11, "11 кредитов", "11 credits"),
        (12, "12 кредитов", "12 credits"),
        (21, "21 кредит", "21 credits"),
        (104, "104 кредита", "104 credits"),
        (111, "111 кредитов", "111 credits"),
        (-1, "-1 кредит", "-1 credit"),
    ],
)
def test_numbers_of_credits(count: int, ru: str, en: str) -> None:
    assert (RU.credits(count), EN.credits(count)) == (ru, en)


def test_durations() -> None:
    assert (RU.seconds(6.24), EN.seconds(6.24)) == ("6,2 с", "6.2 s")
    assert (RU.seconds(200), EN.seconds(200)) == ("3 мин 20 с", "3 min 20 s")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ru_RU"}, "ru"),
        ({}, "en"),
    ],
)
def test_the_language_of_the_locale(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert locale_language() == language


def test_words_of_users_command_no_terminal() -> None:
    assert clean("a\x1b[31mred\x1b[0m\r\nfox\u202e") == "a�[31mred�[0m fox�"
    assert clean("рыжая лиса 🦊 👩‍🚀") == "рыжая лиса 🦊 👩‍🚀"


def test_sizes() -> None:
    assert [file_size(size) for size in (10, 42_000, 2_500_000)] == ["10 B", "41 KiB", "2.4 MiB"]


def refused(kind: type[sdk.TriptychError], **facts: object) -> sdk.TriptychError:
    return kind(Refusal(code="X", message="It was refused.", **facts))  # type: ignore[arg-type]


def test_problems_name_what_was_typed() -> None:
    violations = (Violation("output_count", "must be 1 to 4, not 5"), Violation("new_field", "is odd"))
    problem = refused(sdk.InvalidArgument, violations=violations)
    assert sentences(problem, EN) == ["--count must be 1 to 4, not 5", "new_field is odd"]
    poor = refused(sdk.InsufficientCredits, facts={"price": "20", "balance": "1"})
    assert "19 credits missing" in sentences(poor, EN)[0]
    assert "не хватает 19 кредитов" in sentences(poor, RU)[0]
    assert sentences(FileNotFoundError(2, "No such file", "me.jpg"), EN) == ["me.jpg: No such file"]


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (refused(sdk.NotFound), 1),
        (refused(sdk.InvalidArgument), 1),
        (PermissionError(13, "no", "x"), 1),
        (Usage("say who"), 2),
        (sdk.InvalidOption("address", "is odd"), 2),
        (refused(sdk.Unreachable), 3),
        (refused(sdk.Unavailable), 3),
        (refused(sdk.DeadlineExceeded), 3),
    ],
)
def test_exit_codes(problem: sdk.TriptychError | Usage | OSError, code: int) -> None:
    assert exit_code(problem) == code
