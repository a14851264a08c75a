"""Buttons: what they carry fits, and there is always a way on and a way back."""

from __future__ import annotations

import itertools

import pytest
from aiogram.types import InlineKeyboardMarkup

from clients.sdk import GenerationState
from clients.telegram import keyboards
from clients.telegram.buttons import Browse, OfItem
from clients.telegram.draft import Draft
from clients.telegram.views import FAVORITES, TRASH, View
from clients.telegram.words import WORDS
from tests.unit.clients.telegram.samples import GENERATION_ID, ITEM_ID, TYPES, a_generation, a_type, an_item

RU = WORDS["ru"]
COUNTS = {"avatar": 1, "imagen4": 1234, "video": 2, "": 1237, FAVORITES: 1, TRASH: 3}
VIEW = View(item_id=ITEM_ID, newer_token="n", older_token="o", number=3, total=1237)
DRAFT = Draft.new(TYPES["imagen4"], "кот")


def rows(keyboard: InlineKeyboardMarkup) -> list[list[str]]:
    return [[button.text for button in row] for row in keyboard.inline_keyboard]


def carried(keyboard: InlineKeyboardMarkup) -> list[str]:
    return [str(button.callback_data) for row in keyboard.inline_keyboard for button in row]


ALL = [
    keyboards.start(TYPES, RU),
    keyboards.create(TYPES, RU),
    keyboards.only_back(RU),
    keyboards.of_balance(RU),
    keyboards.asking(DRAFT, RU),
    keyboards.summary(DRAFT, TYPES["imagen4"], RU),
    keyboards.shapes(DRAFT, TYPES["imagen4"], RU),
    keyboards.counts(DRAFT, TYPES["imagen4"], RU),
    keyboards.ended(a_generation(GenerationState.FAILED), TYPES, RU),
    keyboards.delivered(an_item(), RU),
    keyboards.browsing(VIEW, COUNTS, 95, TYPES, RU, undo=ITEM_ID),
    keyboards.browsing(View(list_name=TRASH), COUNTS, 95, TYPES, RU),
    keyboards.actions(an_item(), TYPES, RU),
    keyboards.statement(True, True, RU),
]


@pytest.mark.parametrize("keyboard", ALL)
def test_what_buttons_carry_fits_and_is_theirs_alone(keyboard: InlineKeyboardMarkup) -> None:
    assert all(1 <= len(each.encode()) <= 64 for each in carried(keyboard))
    apart = [each for each in carried(keyboard) if each != Browse(action="same").pack()]
    assert len(apart) == len(set(apart))
    assert all(1 <= len(row) <= 3 for row in keyboard.inline_keyboard)


def test_the_gallery_has_arrows_a_place_and_lists_with_counts() -> None:
    shown = rows(keyboards.browsing(VIEW, COUNTS, 95, TYPES, RU))
    assert shown[0] == ["⬅️", "3 из 1\u202f237", "➡️"]
    assert shown[2:5] == [
        ["📸 Фото со мной 1", "🖼️ Изображения 1\u202f234"],
        ["🎥 Видео 2", "✅ 📋 Все 1\u202f237"],
        ["⭐ Избранное 1", "🗑️ Корзина 3"],
    ]
    assert shown[-1] == ["🏠 В начало", "💳 95 кредитов"]


def test_arrows_that_lead_nowhere_keep_their_place() -> None:
    at_end = View(item_id=ITEM_ID, newer_token="n", number=2, total=2)
    assert rows(keyboards.browsing(at_end, COUNTS, 95, TYPES, RU))[0] == ["⬅️", "2 из 2", "·"]
    alone = View(item_id=ITEM_ID, alone=True)
    assert rows(keyboards.browsing(alone, COUNTS, 95, TYPES, RU))[0] == ["·", "·", "·"]


def test_the_trash_brings_back_and_leads_back() -> None:
    view = View(list_name=TRASH, item_id=ITEM_ID, number=1, total=3)
    keyboard = keyboards.browsing(view, COUNTS, 95, TYPES, RU)
    assert OfItem(action="restore", item_id=ITEM_ID).pack() in carried(keyboard)
    assert Browse(action="list").pack() in carried(keyboard)


def test_a_type_that_the_operator_added_has_its_buttons() -> None:
    types = {**TYPES, "sticker": a_type("sticker", icon="🏷️")}
    browsing = itertools.chain(*rows(keyboards.browsing(VIEW, {**COUNTS, "sticker": 7}, 95, types, RU)))
    assert "🏷️ Изображения 7" in browsing
    assert ["🏷️ Изображения"] in rows(keyboards.create(types, RU))


def test_while_it_is_cancelled_there_is_nothing_to_press() -> None:
    assert keyboards.making(a_generation(GenerationState.CANCELLING), RU) is None
    keyboard = keyboards.making(a_generation(), RU)
    assert keyboard is not None
    assert carried(keyboard) == [f"w|cancel|{GENERATION_ID}"]


def test_only_what_has_choices_offers_them() -> None:
    single = a_type(max_output_count=1, aspect_ratios=("1:1",))
    assert len(keyboards.summary(DRAFT, single, RU).inline_keyboard) == 4
    assert len(keyboards.summary(DRAFT, TYPES["imagen4"], RU).inline_keyboard) == 6
