from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.projections.words import (
    MAX_SEARCH_WORDS,
    MAX_WORD_LENGTH,
    MAX_WORDS_PER_ITEM,
    lexemes,
    search_query,
    split_words,
)


def test_words_are_letters_and_digits_in_one_case_each_once() -> None:
    assert split_words("A Red-haired fox, 4K; a RED fox!") == ["a", "red", "haired", "fox", "4k"]


def test_forms_of_the_same_letter_are_one() -> None:
    assert split_words("Ёлка ёлка ЕЛКА") == ["елка"]
    assert split_words("ﬁre fire") == ["fire"]
    assert split_words("STRASSE straße") == ["strasse"]


def test_bounds() -> None:
    assert split_words("x" * 1000) == ["x" * MAX_WORD_LENGTH]
    many = " ".join(f"w{number}" for number in range(2 * MAX_WORDS_PER_ITEM))
    assert len(lexemes("user", many)) == MAX_WORDS_PER_ITEM
    assert search_query("user", many).count("&") == MAX_SEARCH_WORDS - 1


def test_no_words_are_no_search() -> None:
    assert search_query("user", " ,.!'\\ ") == ""


def test_users_do_not_share_lexemes() -> None:
    assert not set(lexemes("user-1", "a red fox")) & set(lexemes("user-2", "a red fox"))


@given(st.text())
def test_any_text_is_a_query_that_needs_no_escaping(text: str) -> None:
    query = search_query("user", text)
    assert query.count("'") % 2 == 0
    for part in filter(None, query.split(" & ")):
        assert part.startswith("'")
        assert part.endswith("':*")
        assert "'" not in part[1:-3]
        assert "\\" not in part


@given(st.text())
def test_a_text_is_found_by_its_own_words(text: str) -> None:
    found = lexemes("user", text)
    for part in filter(None, search_query("user", text).split(" & ")):
        assert part[1:-3] in found
