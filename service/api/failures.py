"""What a user is told when a generation failed: one plain sentence for each reason, that says what to do.

Whether credits came back is told by their number, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.domain.generation.events import FailureReason


class Sentence(NamedTuple):
    ru: str
    en: str


SENTENCES: Mapping[FailureReason, Sentence] = {
    "content_policy": Sentence(
        "Запрос не прошёл проверку правил: измените описание или фото и попробуйте ещё раз.",
        "The request did not pass the content rules: change the description or the photo and try again.",
    ),
    "invalid_input": Sentence(
        "С этим фото или описанием ничего не получилось: попробуйте другое.",
        "Nothing could be made from this photo or description: try another one.",
    ),
    "no_output": Sentence(
        "По этому описанию ничего не получилось: опишите иначе и попробуйте ещё раз.",
        "Nothing came of this description: put it differently and try again.",
    ),
    "vendor_unavailable": Sentence(
        "Сервис, который создаёт картинки и видео, сейчас не отвечает: попробуйте немного позже.",
        "The service that makes pictures and video does not answer right now: try again a little later.",
    ),
    "timed_out": Sentence(
        "Работа не была готова вовремя: попробуйте ещё раз.",
        "It was not ready in time: try again.",
    ),
    "internal": Sentence(
        "Произошла ошибка на нашей стороне: попробуйте ещё раз.",
        "Something went wrong on our side: try again.",
    ),
}
