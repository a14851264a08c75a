"""How things are shown, in the web gallery and in the Telegram bot alike: icons, shapes, sizes, dates, sentences."""

from __future__ import annotations

from datetime import datetime

from clients.sdk import (
    Generation,
    GenerationState,
    GenerationType,
    InsufficientCredits,
    InvalidArgument,
    Item,
    LedgerEntry,
    LedgerEntryKind,
)
from clients.words import Words

ENTRIES = {"imagen4": "📝", "avatar": "👤", "video": "🎥"}
"""Icons of the creation menu; of other types the catalog's."""
FILTERS = {"avatar": "📸", "imagen4": "🖼️", "video": "🎥"}
_MONTHS = {
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "en": "January February March April May June July August September October November December",
}


def entry_icon(kind: GenerationType) -> str:
    return ENTRIES.get(kind.type, kind.icon)


def filter_icon(kind: GenerationType) -> str:
    return FILTERS.get(kind.type, kind.icon)


def menu(types: dict[str, GenerationType]) -> list[GenerationType]:
    """The creation menu's order: the description first."""
    known = [types[name] for name in ENTRIES if name in types]
    return known + [each for each in types.values() if each.type not in ENTRIES]


def icon(type_name: str, types: dict[str, GenerationType]) -> str:
    return types[type_name].icon if type_name in types else "🎨"


def title(prefix: str, kind: GenerationType, words: Words) -> str:
    """What a type is called; a type that this gallery has no words for has the catalog's."""
    key = f"{prefix}_{kind.type}"
    return words(key) if words.has(key) else kind.title.in_language(words.language)


def one(type_name: str, types: dict[str, GenerationType], words: Words) -> str:
    key = f"one_{type_name}"
    if words.has(key) or type_name not in types:
        return words.either(key, "one_other")
    return types[type_name].title.in_language(words.language)


def date(moment: datetime | None, words: Words) -> str:
    """Such as "25 ноября 2026, 14:15 UTC"; a script puts it into the reader's own zone."""
    if moment is None:
        return ""
    month = _MONTHS[words.language].split()[moment.month - 1]
    return f"{moment.day} {month} {moment.year}, {moment:%H:%M} UTC"


def iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def ratio(aspect_ratio: str, words: Words) -> str:
    width, _, height = aspect_ratio.partition(":")
    if width == height:
        return words("ratio_square")
    wide = width.isdecimal() and height.isdecimal() and int(width) > int(height)
    return words("ratio_wide" if wide else "ratio_tall")


def size(item: Item, words: Words) -> str:
    text = f"{item.media.width} × {item.media.height}"
    if item.media.duration_seconds:
        seconds = f"{item.media.duration_seconds:.0f}"
        text += f", {seconds} {'с' if words.language == 'ru' else 's'}"
    return text


def state(generation: Generation, types: dict[str, GenerationType], words: Words) -> str:
    if generation.state is GenerationState.SUBMITTED and generation.queue_position is not None:
        return words("state_queued")  # It waits for its turn where pictures are made.
    key = f"state_{generation.state.value}"
    kind = types.get(generation.type)
    if kind and kind.kind == "video" and words.has(f"{key}_video"):
        return words(f"{key}_video")
    return words.either(key, "state_unknown")


def stage(generation: Generation) -> int:
    """How far it is, of 4: queued, preparing, waiting for the vendor, being made."""
    if generation.ended:
        return 4
    if generation.state is GenerationState.QUEUED:
        return 1
    if generation.state is GenerationState.PREPARING:
        return 2
    return 3 if generation.queue_position is not None or generation.state is GenerationState.SUBMITTING else 4


def money_back(generation: Generation, words: Words) -> str:
    """What happened to the credits of one that has ended; empty if none came back."""
    if not generation.credits_refunded:
        return ""
    return words.count("returned", generation.credits_refunded) + "."


def entry(line: LedgerEntry, words: Words) -> str:
    """A line of the statement as a sentence."""
    amount = abs(line.amount)
    if line.kind is LedgerEntryKind.GRANT:
        return words("entry_grant", credits=words.count("given", amount))
    if line.kind is LedgerEntryKind.DEBIT:
        credits = words.count("taken", amount)
        return words.either(f"entry_debit_{line.generation_type}", "entry_debit_other", credits=credits)
    if line.kind is LedgerEntryKind.REFUND:
        credits = words.count("returned", amount)
        special = f"refund_{line.refund_cause.value}_{line.generation_type}"
        key = special if words.has(special) else f"refund_{line.refund_cause.value}"
        return words.either(key, "refund_other", credits=credits)
    return words("entry_other", credits=words.count("credits", amount))


def too_expensive(error: InsufficientCredits, words: Words) -> str:
    price, balance = words.count("credits", error.price), words.count("credits", error.balance)
    return words("too_expensive", price=price, balance=balance)


def objections(error: InvalidArgument, prompt: str, max_prompt_characters: int, words: Words) -> dict[str, str]:
    """What the service objects to in an order: a sentence for each field, under "" what has no field of its own."""
    found: dict[str, str] = {}
    for violation in error.violations:
        if violation.field == "prompt" and len(prompt) > max_prompt_characters:
            found["prompt"] = words("prompt_long", limit=max_prompt_characters)
        elif violation.field == "reference_media_id":
            found[violation.field] = words("reference_bad")
        else:
            found["prompt" if violation.field == "prompt" else ""] = words("field_bad")
    return found or {"": words("field_bad")}
