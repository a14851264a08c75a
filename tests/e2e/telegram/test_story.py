"""The whole story in both languages: ask, confirm, watch, look, delete, restore, understand what it cost."""

from __future__ import annotations

import pytest

from clients.words import Language
from tests.e2e.telegram.stage import Stage


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_a_picture_from_a_description(stage: Stage, language: Language) -> None:
    visitor = await stage.visitor(language)
    words = visitor.words
    await visitor.user.start()
    menu = await visitor.sees(words("welcome"), visitor.credits(200))
    assert menu.labels[:3] == [
        f"📝 {words('create_imagen4')}",
        f"👤 {words('create_avatar')}",
        f"🎥 {words('create_video')}",
    ]
    await visitor.press(menu, words("create_imagen4"))
    await visitor.shows(menu, words("ask_words"))
    summary = await visitor.describes("маяк <в> шторм & ветер")
    assert visitor.credits(5) in summary.text
    assert visitor.credits(195) in summary.text
    await visitor.confirms(summary)
    await visitor.shows(summary, words("state_succeeded"), visitor.credits(195))
    picture = await visitor.sees(words("one_imagen4"), words("open_in_gallery"))
    assert picture.media is not None
    assert picture.media.kind == "photo"
    assert words("improved_words") in picture.text
    assert "маяк <в> шторм & ветер" in picture.text
    await visitor.press(picture, words("open_in_gallery"))
    gallery = await visitor.sees(visitor.filter("imagen4", 1), visitor.filter("avatar", 0), visitor.filter("", 1))
    assert words("position", number=1, total=1) in gallery.labels
    assert f"💳 {visitor.credits(195)}" in gallery.labels
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("delete"))
    await visitor.press(gallery, words("delete"))
    empty = await visitor.sees(words("deleted"), words("undo"), visitor.filter("imagen4", 0))
    await visitor.press(empty, words("undo"))
    gallery = await visitor.sees(words("restored"), visitor.filter("imagen4", 1))
    assert gallery.media is not None
    await visitor.user.send("/statement")
    await visitor.sees(words("entry_debit_imagen4", credits=words.count("taken", 5)), visitor.credits(195))
