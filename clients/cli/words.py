"""What the command line says about results, in Russian and English.

Help, usage errors and the service's own refusals are in English; what a user of the gallery is told is in the user's
language. The language is ``--language``, else that of the locale.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

Language = Literal["ru", "en"]

# key: (Russian, English). Facts stand in braces.
PHRASES: Mapping[str, tuple[str, str]] = {
    # How far a generation is
    "state.queued": ("Ждёт своей очереди", "Waiting for its turn"),
    "state.preparing": ("Описание проверяется и улучшается", "The prompt is being checked and improved"),
    "state.submitting": ("Передаётся исполнителю", "Being handed to the vendor"),
    "state.submitted": ("У исполнителя", "At the vendor"),
    "state.being_made": ("Создаётся", "Being made"),
    "state.in_queue": ("В очереди у исполнителя, впереди: {ahead}", "In the vendor's queue, ahead of it: {ahead}"),
    "state.next": ("Следующее в очереди у исполнителя", "Next in the vendor's queue"),
    "state.cancelling": ("Отменяется", "Being cancelled"),
    "state.succeeded": ("Готово", "Done"),
    "state.failed": ("Не получилось", "Failed"),
    "state.cancelled": ("Отменено", "Cancelled"),
    "state.unknown": ("В работе", "In progress"),
    # What came of it
    "done": (
        "Готово за {duration}, получено {delivered} из {asked}",
        "Done in {duration}, {delivered} of {asked} delivered",
    ),
    "requested": ("Принято: {id}", "Taken on: {id}"),
    "requested_before": (
        "Этот запрос уже был отправлен; второй раз ничего не списано",
        "This request was sent before; nothing was taken a second time",
    ),
    "own_words": ("Описание", "Prompt"),
    "improved": ("Улучшенное", "Improved"),
    "improver_away": (
        "улучшить не удалось, взяты ваши слова",
        "it could not be improved just now, so your own words were used",
    ),
    "improver_refused": (
        "улучшать его не стали, взяты ваши слова",
        "the improver would not rewrite it, so your own words were used",
    ),
    "taken": ("Списано {credits}", "{credits} taken"),
    "cost": ("Стоило: {credits}", "It cost {credits}"),
    "cost_part": (
        "Списано {debited}, за неполученное вернулось {refunded}",
        "{debited} were taken, {refunded} came back for what was not delivered",
    ),
    "all_back": ("Вернулось всё: {refunded}", "Everything came back: {refunded}"),
    "goes_on": ("Создание продолжается. Посмотреть: {command}", "It goes on being made. To see it: {command}"),
    "fetch": ("Сохранить: {command}", "To save it: {command}"),
    "not_known": (
        "Принят ли запрос, неизвестно. Повторите с тем же номером, второй раз не спишется: --request-id {id}",
        "Whether it was taken on is not known. Send it again under the same id, it is never charged twice: "
        "--request-id {id}",
    ),
    "too_late_to_cancel": ("Отменить не удалось: {why}", "It could not be cancelled: {why}"),
    "cancel_open": (
        "Исполнитель ещё не решил, можно ли отменить",
        "The vendor has not decided yet whether that is still possible",
    ),
    # Tables
    "all": ("Всё", "All"),
    "nothing_here": ("Здесь пусто", "Nothing here"),
    "trash": ("корзина", "trash"),
    "favorite": ("избранное", "favourite"),
    "older": ("Раньше: --older {token}", "Older: --older {token}"),
    "newer": ("Позже: --newer {token}", "Newer: --newer {token}"),
    "column.when": ("Когда", "When"),
    "column.what": ("Что", "What"),
    "column.size": ("Размер", "Size"),
    "column.type": ("Тип", "Type"),
    "column.price": ("Цена", "Price"),
    "column.origin": ("Откуда", "Where from"),
    "imported": ("Прежняя галерея", "The earlier gallery"),
    "column.most": ("Не больше", "At most"),
    "column.ratios": ("Стороны", "Aspect ratios"),
    "column.model": ("Модель", "Model"),
    "column.amount": ("Кредиты", "Credits"),
    "column.balance": ("Остаток", "Balance"),
    "column.state": ("Состояние", "State"),
    "needs_reference": ("нужно фото: --reference", "needs a photo: --reference"),
    # The gallery
    "watching": ("Слежу за галереей; Ctrl-C закончит", "Watching the gallery; Ctrl-C ends it"),
    "removed": ("в корзине", "in the trash"),
    "marked": ("в избранном", "a favourite"),
    "unmarked": ("больше не в избранном", "no longer a favourite"),
    "trashed": ("в корзине", "in the trash"),
    "restored": ("снова в галерее", "back in the gallery"),
    # Credits
    "balance": ("Остаток: {credits}", "Balance: {credits}"),
    "totals": (
        "получено {granted}, списано {debited}, возвращено {refunded}",
        "{granted} granted, {debited} taken, {refunded} given back",
    ),
    "granted": ("Начислено: {credits}", "Granted: {credits}"),
    "granted_before": (
        "Это начисление уже было; второй раз ничего не начислено",
        "This grant was made before; nothing was given a second time",
    ),
    "refunded": ("Возвращено: {credits}", "Given back: {credits}"),
    "entry.grant": ("Начисление", "Grant"),
    "entry.debit": ("Оплата", "Payment"),
    "entry.refund": ("Возврат", "Refund"),
    "entry.unknown": ("Запись", "Entry"),
    "cause.failed": ("не получилось", "it failed"),
    "cause.cancelled": ("отменено", "it was cancelled"),
    "cause.undelivered": ("получено не всё", "not all was delivered"),
    "cause.manual": ("вручную", "by hand"),
    "cause.unknown": ("другая причина", "another reason"),
    "insufficient": (
        "Это стоит {price}, а на счету {balance}: не хватает {missing}. Ничего не списано",
        "This costs {price} and the balance is {balance}: {missing} missing. Nothing was taken",
    ),
}


class Words:
    """The phrases in one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def __call__(self, key: str, **facts: object) -> str:
        ru, en = PHRASES[key]
        return (ru if self.language == "ru" else en).format(**facts)

    def named(self, prefix: str, word: str) -> str:
        """The phrase for an enum's word; for one that is newer than this program, a general one."""
        key = f"{prefix}.{word}"
        return self(key if key in PHRASES else f"{prefix}.unknown")

    def credits(self, count: int) -> str:
        """A number of credits, in the right form: 1 кредит, 2 кредита, 5 кредитов."""
        if self.language == "en":
            return f"{count} credit" if abs(count) == 1 else f"{count} credits"
        last, last_two = abs(count) % 10, abs(count) % 100
        if last == 1 and last_two != 11:
            return f"{count} кредит"
        few = 2 <= last <= 4 and not 12 <= last_two <= 14
        return f"{count} кредита" if few else f"{count} кредитов"

    def seconds(self, count: float) -> str:
        """A duration: 6.2 s, 3 min 20 s."""
        second, minute = ("с", "мин") if self.language == "ru" else ("s", "min")
        if count < 60:
            digits = f"{count:.1f}"
            return f"{digits.replace('.', ',') if self.language == 'ru' else digits} {second}"
        return f"{int(count // 60)} {minute} {int(count % 60)} {second}"


def locale_language() -> Language:
    """The language of the environment's locale, in the order that POSIX gives its variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ru" if value.lower().startswith("ru") else "en"
    return "en"
