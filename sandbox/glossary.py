"""A little Russian, enough for a demo: common words of prompts by their stems.

A sentence whose words are all known comes out in plain English; of any other, what is known is said and the whole is
quoted, so that nothing the user meant is lost.
"""

from __future__ import annotations

import re
from typing import Final

_STEMS: Final[dict[str, str]] = {
    "рыж": "ginger", "красн": "red", "син": "blue", "зелён": "green", "зелен": "green", "бел": "white",
    "чёрн": "black", "черн": "black", "жёлт": "yellow", "желт": "yellow", "золот": "golden", "серебр": "silver",
    "стар": "old", "нов": "new", "больш": "big", "маленьк": "small", "тих": "quiet", "тёпл": "warm", "тепл": "warm",
    "холодн": "cold", "снежн": "snowy", "солнечн": "sunny", "звёздн": "starry", "звездн": "starry",
    "воздушн": "hot-air", "деревянн": "wooden", "красив": "beautiful", "весёл": "cheerful", "весел": "cheerful",
    "осенн": "autumn", "зимн": "winter", "летн": "summer", "весенн": "spring", "утренн": "morning",
    "вечерн": "evening", "ночн": "night", "морск": "sea", "горн": "mountain", "лесн": "forest", "городск": "city",
    "кот": "cat", "кош": "cat", "собак": "dog", "щен": "puppy", "лошад": "horse", "птиц": "bird", "чайк": "seagull",
    "лис": "fox", "медвед": "bear", "рыб": "fish", "бабочк": "butterfly", "дракон": "dragon",
    "дом": "house", "избуш": "cabin", "крыш": "roof", "окн": "window", "город": "city", "улиц": "street",
    "площад": "square", "мост": "bridge", "башн": "tower", "замок": "castle", "замк": "castle", "маяк": "lighthouse",
    "дорог": "road", "поезд": "train", "машин": "car", "велосипед": "bicycle", "корабл": "ship", "лодк": "boat",
    "парус": "sail", "яхт": "yacht", "шар": "balloon", "ракет": "rocket",
    "гор": "mountains", "холм": "hills", "долин": "valley", "лес": "forest", "дерев": "tree", "сосн": "pine",
    "ёлк": "fir tree", "берёз": "birch", "берез": "birch", "сад": "garden", "цвет": "flowers",
    "роз": "rose", "подсолнух": "sunflower", "лаванд": "lavender", "трав": "grass",
    "мор": "sea", "океан": "ocean", "озер": "lake", "рек": "river", "берег": "shore", "пляж": "beach",
    "волн": "waves", "водопад": "waterfall", "остров": "island", "пустын": "desert", "песок": "sand",
    "неб": "sky", "облак": "clouds", "солнц": "sun", "лун": "moon", "звёзд": "stars", "звезд": "stars",
    "дожд": "rain", "снег": "snow", "туман": "mist", "радуг": "rainbow", "сияни": "lights", "ветер": "wind",
    "утр": "morning", "вечер": "evening", "ноч": "night", "день": "day", "рассвет": "sunrise", "закат": "sunset",
    "зим": "winter", "лет": "summer", "осен": "autumn", "весн": "spring",
    "мужчин": "man", "женщин": "woman", "девушк": "young woman", "мальчик": "boy", "девочк": "girl",
    "бабушк": "grandmother", "дедушк": "grandfather", "человек": "person", "люд": "people", "семь": "family",
    "портрет": "portrait", "фото": "photo", "картин": "painting", "акварел": "watercolour", "масл": "oil paint",
    "стил": "style", "космос": "space", "космонавт": "astronaut", "костюм": "suit", "пальто": "coat",
    "шляп": "hat", "чай": "tea", "кофе": "coffee", "торт": "cake", "книг": "book", "свеч": "candle",
    "сидит": "sitting", "стоит": "standing", "лежит": "lying", "летит": "flying", "летя": "flying", "идёт": "walking",
    "идет": "walking", "плывёт": "sailing", "плывет": "sailing", "смотрит": "looking", "спит": "sleeping",
    "бежит": "running", "плыву": "sailing", "шуми": "murmuring", "пада": "falling",
}  # fmt: skip
_WHOLE: Final[dict[str, str]] = {
    "и": "and", "на": "on", "в": "in", "во": "in", "у": "by", "над": "over", "под": "under", "с": "with",
    "со": "with", "за": "behind", "из": "from", "по": "along", "около": "near", "возле": "near", "перед": "before",
    "среди": "among", "к": "towards", "о": "about", "для": "for", "без": "without",
    "поле": "field", "поля": "fields", "как": "like", "мой": "my",
    "моя": "my", "моё": "my", "я": "me", "очень": "very", "где": "where", "два": "two", "три": "three",
}  # fmt: skip
_LONGEST_FIRST: Final = sorted(_STEMS, key=len, reverse=True)
_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


_LONGEST_ENDING: Final = 5


def in_english(text: str) -> str:
    """The text in English as far as the glossary goes; text without Cyrillic letters as it is."""
    unknown = []

    def replaced(match: re.Match[str]) -> str:
        word = match.group().lower()
        if not re.search("[а-яё]", word):
            return match.group()
        known = _WHOLE.get(word) or next((_STEMS[stem] for stem in _LONGEST_FIRST if _is_form(word, stem)), None)
        if known is None:
            unknown.append(word)
        return known or match.group()

    translated = _WORD.sub(replaced, text)
    return f'{translated} (as in: "{text}")' if unknown else translated


def _is_form(word: str, stem: str) -> bool:
    """Whether the word is the stem with an ending: what is longer is another word."""
    return word.startswith(stem) and len(word) - len(stem) <= _LONGEST_ENDING
