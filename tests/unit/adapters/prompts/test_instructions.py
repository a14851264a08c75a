from __future__ import annotations

import pytest

from service.adapters.prompts.instructions import instructions_for, lost_words, quoted_words


def test_each_type_has_its_hint() -> None:
    told = {name: instructions_for(name) for name in ("avatar", "video", "imagen4", "of_tomorrow")}
    assert "features of the face" in told["avatar"]
    assert "camera moves" in told["video"]
    assert told["imagen4"] == told["of_tomorrow"]
    assert all("Keep what the user means" in text for text in told.values())


def test_quotation_marks_of_every_kind() -> None:
    text = 'a sign "Café 7", «С днём рождения», “Hello”, „Guten Tag“ and 6" nails'
    assert quoted_words(text) == ["Café 7", "С днём рождения", "Hello", "Guten Tag"]


@pytest.mark.parametrize(
    ("improved", "lost"),
    [
        ("A card that reads «С днём рождения» in gold", []),
        ('A card that reads "с  днём рождения" in gold', []),
        ('A card that reads "Happy birthday" in gold', ["С днём рождения"]),
    ],
)
def test_lettering_must_come_back_as_it_was(improved: str, lost: list[str]) -> None:
    assert lost_words("открытка «С днём рождения»", improved) == lost


def test_without_quotes_nothing_can_be_lost() -> None:
    assert lost_words("a cat", "a dog") == []
