"""Who asks, and for what: a crowd that grows, some much busier than others, in Russian and in English."""

from __future__ import annotations

import random

_NAMES = (
    *("olga", "anna", "sergey", "irina", "elena", "vladimir", "tatiana", "mikhail", "natalia", "andrey"),
    *("maria", "john", "galina", "pavel", "helen", "viktor", "svetlana", "peter", "lyudmila", "george"),
)
_SUBJECTS_RU = (
    *("рыжий кот на подоконнике", "старый маяк", "букет сирени", "дача в яблоневом саду", "бабушка с внуком"),
    *("лиса в снегу", "чашка кофе у окна", "космонавт на Луне", "деревянный корабль", "ёлка во дворе"),
)
_SUBJECTS_EN = (
    *("a red fox", "an old lighthouse", "a bowl of ripe cherries", "a steam train", "two friends in a small café"),
    *(
        "a wooden sailing ship",
        "a sleeping cat",
        "a grandfather repairing a clock",
        "a blue bicycle",
        "a mountain hut",
    ),
)
_PLACES_RU = ("на рассвете", "в тумане", "под дождём", "осенью", "у моря", "в старом городе", "ночью, огни города")
_PLACES_EN = ("at dawn", "in the fog", "in the rain", "in autumn", "by the sea", "in an old town", "at night")
_STYLES_RU = ("акварель", "масло", "фотография на плёнку", "пастель", "мягкий свет", "крупный план")
_STYLES_EN = ("watercolour", "oil on canvas", "35mm photograph", "soft light", "close-up", "pencil sketch")
_IMPROVEMENTS = (
    "golden hour light, shallow depth of field, fine detail",
    "balanced composition, muted palette, natural textures",
    "volumetric light, rich colours, high detail",
)

NEWCOMERS_PER_EVENT = 1 / 250
BUSY = 1.8
"""The higher, the more of the asking is done by few."""


class Crowd:
    def __init__(self, chance: random.Random, seed: int, events: int) -> None:
        self._chance = chance
        self._seed = seed
        self._size = max(4, round(events * NEWCOMERS_PER_EVENT))

    def someone(self, share: float) -> str:
        """A user's id; the more of the time has passed, the more there are to choose from."""
        present = 1 + int((self._size - 1) * min(1.0, 0.1 + share))
        number = int(present * self._chance.random() ** BUSY)
        return f"{_NAMES[number % len(_NAMES)]}-{self._seed}-{number}"

    def wish(self) -> str:
        """What somebody wants to see."""
        russian = self._chance.random() < 0.6
        words = (_SUBJECTS_RU, _PLACES_RU, _STYLES_RU) if russian else (_SUBJECTS_EN, _PLACES_EN, _STYLES_EN)
        return ", ".join(self._chance.choice(each) for each in words)

    def improved(self, prompt: str) -> str:
        """The same, in more words."""
        return f"{prompt}, {self._chance.choice(_IMPROVEMENTS)}"
