"""What the bot's messages say, and that Telegram takes them however long the words are."""

from __future__ import annotations

import html
import re

import pytest

from clients.sdk import GenerationState, OwnWordsReason, PromptSource
from clients.telegram import texts
from clients.telegram.draft import Draft
from clients.telegram.words import WORDS
from clients.words import LANGUAGES, Language
from tests.unit.clients.telegram.samples import TYPES, a_failure, a_generation, an_item

LONG = "🎨 <b>кот</b> & " * 300
RU, EN = WORDS["ru"], WORDS["en"]


def shown(text: str) -> str:
    """As Telegram counts it: without tags."""
    return html.unescape(re.sub(r"</?(b|i|code)>", "", text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("own", "improved"), [(LONG, LONG), (LONG, ""), ("кот", LONG), (LONG, "cat")])
def test_captions_fit_and_say_all_facts(language: Language, own: str, improved: str) -> None:
    words = WORDS[language]
    item = an_item(prompt=own, effective_prompt=improved or own, favorite=True, trashed=True)
    caption = texts.caption(item, TYPES, words, notice=words("restored"))
    assert texts.units(shown(caption)) <= texts.MAX_CAPTION_UNITS
    for fact in (words("one_imagen4"), "⭐", words("in_trash"), words.count("credits", 5), "2026", item.model):
        assert fact in shown(caption)


@pytest.mark.parametrize("state", [GenerationState.SUBMITTED, GenerationState.FAILED, GenerationState.SUCCEEDED])
def test_texts_about_orders_fit(state: GenerationState) -> None:
    generation = a_generation(
        state,
        prompt=LONG,
        effective_prompt=LONG,
        prompt_source=PromptSource.IMPROVED,
        queue_position=3,
        failure=a_failure() if state is GenerationState.FAILED else None,
    )
    ended = generation.ended
    text = texts.ending(generation, TYPES, 100, RU) if ended else texts.progress(generation, TYPES, RU)
    assert texts.units(shown(text)) <= texts.MAX_TEXT_UNITS


def test_whole_prompts_fit_and_escape() -> None:
    for text in texts.whole_prompts(an_item(prompt=LONG * 2, effective_prompt=LONG), RU):
        assert texts.units(shown(text)) <= texts.MAX_TEXT_UNITS
        assert "&lt;b&gt;" in text


def test_a_cut_never_splits_a_character() -> None:
    assert texts.cut("🎨🎨🎨", 6) == "🎨🎨🎨"
    assert texts.cut("🎨🎨🎨", 5) == "🎨🎨…"
    assert texts.cut("🎨🎨🎨", 4) == "🎨…"
    assert texts.cut("abc", 2) == "a…"


def test_progress_says_the_place_and_whether_it_is_connected() -> None:
    generation = a_generation(GenerationState.SUBMITTED, queue_position=2)
    assert RU("place", place=3) in texts.progress(generation, TYPES, RU)
    assert RU("offline") in texts.progress(generation, TYPES, RU, connected=False)


def test_a_failure_is_a_sentence_with_the_credits_that_came_back() -> None:
    failed = a_generation(GenerationState.FAILED, failure=a_failure(), credits_refunded=5)
    text = texts.ending(failed, TYPES, 95, RU)
    assert "Картинка не вышла." in text
    assert "5 кредитов возвращены." in text
    assert "95 кредитов" in text
    assert RU("cost") not in text


def test_half_of_what_was_asked_is_told_with_its_money() -> None:
    half = a_generation(
        GenerationState.SUCCEEDED, output_count=4, delivered_count=2, credits_debited=20, credits_refunded=10
    )
    text = texts.ending(half, TYPES, 90, EN)
    assert "2 of 4 worked out." in text
    assert "10 credits returned." in text
    assert "Price: 10 credits." in text


def test_why_words_were_not_improved() -> None:
    asked = a_generation(
        GenerationState.SUBMITTED, prompt_source=PromptSource.OWN_WORDS, own_words_reason=OwnWordsReason.ASKED
    )
    away = a_generation(
        GenerationState.SUBMITTED, prompt_source=PromptSource.OWN_WORDS, own_words_reason=OwnWordsReason.UNAVAILABLE
    )
    assert RU("own_words_used") in texts.progress(asked, TYPES, RU)
    assert RU("own_words_unavailable") in texts.progress(away, TYPES, RU)


def test_a_summary_shows_what_stays_or_what_is_missing() -> None:
    draft = Draft.new(TYPES["imagen4"], "кот").changed(output_count=2)
    assert "Останется: 90 кредитов" in texts.summary(draft, TYPES["imagen4"], 100, RU)
    poor = texts.summary(draft, TYPES["imagen4"], 7, RU)
    assert "Не хватает: нужно 10 кредитов" in poor
    assert "Останется" not in poor


def test_an_item_of_an_older_gallery_without_words_says_nothing_of_them() -> None:
    caption = texts.caption(an_item(prompt="", effective_prompt="", model="", credits=0), TYPES, RU)
    assert caption.split("\n\n") == ["🎨 <b>Изображение</b>", "25 ноября 2026, 14:15 UTC"]
