"""From words to what is to be seen: place, time of day and subject.

Words decide where they can ("a cat at night"), the seed decides the rest. English and Russian stems are known,
since people write both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import Final

from sandbox.drawing.palette import TIMES, Palette, palette_for

PLACES: Final = ("mountains", "sea", "city", "forest", "desert")

_PLACE_STEMS: Final[dict[str, tuple[str, ...]]] = {
    "sea": ("sea", "ocean", "lake", "beach", "wave", "boat", "ship", "harbour", "harbor", "мор", "океан", "озер",
            "пляж", "волн", "лодк", "корабл", "берег", "закат над"),
    "city": ("city", "street", "roof", "tower", "town", "skyline", "neon", "москв", "город", "улиц", "крыш", "башн"),
    "forest": ("forest", "tree", "wood", "pine", "jungle", "лес", "дерев", "сосн", "ёлк", "елк", "роща", "тайг"),
    "desert": ("desert", "dune", "sand", "mars", "пустын", "дюн", "песок", "песк", "марс"),
    "mountains": ("mountain", "alps", "hill", "valley", "peak", "гор", "холм", "долин", "вершин", "альп"),
}  # fmt: skip
_TIME_STEMS: Final[dict[str, tuple[str, ...]]] = {
    "night": ("night", "moon", "star", "dark", "midnight", "ноч", "лун", "звёзд", "звезд", "полноч"),
    "sunset": ("sunset", "evening", "dusk", "закат", "вечер", "сумерк"),
    "dawn": ("dawn", "sunrise", "morning", "рассвет", "утр", "заря"),
    "day": ("noon", "sunny", "daylight", "midday", "полдень", "солнечн"),
}
_SUBJECT_STEMS: Final[dict[str, tuple[str, ...]]] = {
    "lighthouse": ("lighthouse", "маяк"),
    "cat": ("cat", "cats", "kitten", "кот", "кош"),
    "boat": ("boat", "ship", "sail", "yacht", "лодк", "корабл", "парус", "яхт"),
    "balloon": ("balloon", "airship", "шар", "дирижабл"),
    "house": ("house", "cabin", "cottage", "hut", "дом", "избуш", "хижин"),
    "birds": ("bird", "seagull", "crane", "птиц", "чайк", "журавл"),
}


@dataclass(frozen=True)
class Scene:
    """What is to be seen. Positions are parts of the width or height, from 0 to 1."""

    place: str
    time_of_day: str
    subject: str
    palette: Palette
    horizon: float
    sun: tuple[float, float]
    sun_size: float
    ridges: int
    seed: int


def scene_for(prompt: str, seed: int) -> Scene:
    """The scene for these words; the same for the same words and seed."""
    random = Random(seed)
    words = re.findall(r"[^\W\d_]+", prompt.lower())
    place = _named(words, _PLACE_STEMS) or random.choice(PLACES)
    time_of_day = _named(words, _TIME_STEMS) or random.choice(TIMES)
    subject = _named(words, _SUBJECT_STEMS) or random.choice(("", "", "birds", "balloon", "house"))
    if subject == "boat":
        place = "sea"
    height = random.uniform(0.5, 0.64)
    return Scene(
        place=place,
        time_of_day=time_of_day,
        subject=subject,
        palette=palette_for(time_of_day, random),
        horizon=height,
        sun=(random.uniform(0.2, 0.8), height * random.uniform(0.35, 0.85)),
        sun_size=random.uniform(0.05, 0.085),
        ridges=random.randint(4, 6),
        seed=seed,
    )


def _named(words: list[str], stems: dict[str, tuple[str, ...]]) -> str:
    """The first name one of whose stems begins a word; short English stems must be the whole word."""
    for name, beginnings in stems.items():
        for beginning in beginnings:
            whole = len(beginning) <= 4 and beginning.isascii()
            for word in words:
                if word in (beginning, beginning + "s") if whole else word.startswith(beginning):
                    return name
    return ""
