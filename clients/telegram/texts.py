"""What messages say, as Telegram's HTML.

Short, one thing at a time. Telegram counts at most 4096 characters in a text and 1024 beneath a picture, after its
tags are taken out; an emoji counts as two (UTF-16), so the prompts are cut to what is left of that. Prompts stand in
``<code>``: a tap on one copies it.
"""

from __future__ import annotations

from html import escape

from clients import looks
from clients.sdk import (
    Generation,
    GenerationState,
    GenerationType,
    Item,
    LedgerEntry,
    OwnWordsReason,
    PromptSource,
)
from clients.telegram.draft import Draft
from clients.telegram.views import TRASH
from clients.words import Words

MAX_TEXT_UNITS = 4096
MAX_CAPTION_UNITS = 1024
SPARE_UNITS = 40
"""For blank lines and labels between what is counted."""
HALF_UNITS = (MAX_TEXT_UNITS - 800) // 2
"""For each of two prompts in a text that says other things, too."""
STEPS = 4


def units(text: str) -> int:
    """How long Telegram finds a text: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, max_units: int) -> str:
    """The beginning of a text that is too long, with "…" at its end."""
    if units(text) <= max_units:
        return text
    return text.encode("utf-16-le")[: 2 * max(max_units - 1, 0)].decode("utf-16-le", "ignore").rstrip() + "…"


def menu(balance: int, words: Words) -> str:
    return f"{words('welcome')}\n\n💳 {words('balance_line', credits=words.count('credits', balance))}"


def create_menu(balance: int, words: Words) -> str:
    credits = words.count("credits", balance)
    return f"<b>{words('create_heading')}</b>\n\n💳 {words('balance_line', credits=credits)}"


def help_text(words: Words) -> str:
    lines = f"📝 {words('help_create')}", f"🖼️ {words('help_gallery')}", f"💳 {words('help_money')}"
    return "\n\n".join([f"<b>{words('help_title')}</b>", *lines])


def balance(credits: int, words: Words) -> str:
    return f"💳 {words('balance_title')}: <b>{words.count('credits', credits)}</b>"


def heading(kind: GenerationType, words: Words) -> str:
    return f"{looks.entry_icon(kind)} <b>{words.either(f'form_{kind.type}', 'form_other')}</b>"


def ask_words(kind: GenerationType, words: Words, present: str = "") -> str:
    """Asks for a description; ``present`` is the one that is to be changed."""
    if present:
        return f"{heading(kind, words)}\n\n{words('ask_words_again')}\n\n{_code(present)}"
    hint = words.either(f"prompt_help_{kind.type}", "prompt_help")
    return f"{heading(kind, words)}\n\n{words('ask_words')}\n\n<i>{hint}</i>"


def ask_photo(kind: GenerationType, words: Words) -> str:
    return f"{heading(kind, words)}\n\n{words('ask_photo')}"


def summary(draft: Draft, kind: GenerationType, credits: int, words: Words, problem: str = "") -> str:
    """What is about to be ordered, with its price and the balance (``credits``)."""
    price = draft.price(kind)
    lines = [heading(kind, words)]
    if draft.another:
        lines.append(words("same_settings"))
    if draft.reference_media_id:
        lines.append(f"📷 {words('photo_kept')}")
    lines += [f"{words('your_words')}:\n{_code(draft.prompt)}", _bill(price, credits, words)]
    if not draft.own_words:
        lines.append(f"<i>{words('will_improve')}</i>")
    if problem:
        lines.append(f"❗ {escape(problem)}")
    elif price > credits:
        lines.append(f"❗ {words('not_enough', price=words.count('credits', price))}")
    return "\n\n".join(lines)


def _bill(price: int, credits: int, words: Words) -> str:
    lines = [
        f"{words('price_label')}: <b>{words.count('credits', price)}</b>",
        f"{words('you_have')}: {words.count('credits', credits)}",
    ]
    if price <= credits:
        lines.append(f"{words('stays')}: {words.count('credits', credits - price)}")
    return "\n".join(lines)


def progress(
    generation: Generation, types: dict[str, GenerationType], words: Words, *, connected: bool = True
) -> str:
    """How an order stands that is being made."""
    stage = looks.stage(generation)
    lines = [
        f"{looks.icon(generation.type, types)} <b>{looks.state(generation, types, words)}…</b>",
        "🟩" * stage + "⬜" * (STEPS - stage),
    ]
    if generation.queue_position is not None:
        lines.append(words("place", place=generation.queue_position + 1))
    lines.append(words("comes_here") if connected else f"📡 {words('offline')}")
    return "\n\n".join([*lines, _prompts(generation, words)])


def ending(generation: Generation, types: dict[str, GenerationType], credits: int, words: Words) -> str:
    """What came of an order, and what happened to its credits; ``credits`` is the balance now."""
    icon = "✅" if generation.state is GenerationState.SUCCEEDED else "😔"
    if generation.state is GenerationState.CANCELLED:
        icon = "✖️"
    lines = [f"{icon} <b>{looks.state(generation, types, words)}</b>"]
    if generation.failure:
        lines.append(escape(generation.failure.message.in_language(words.language)))
    elif 0 < generation.delivered_count < generation.output_count:
        lines.append(words("partial", delivered=generation.delivered_count, asked=generation.output_count))
    money = [looks.money_back(generation, words)]
    if generation.credits_charged:
        money.append(words("money_taken", credits=words.count("credits", generation.credits_charged)))
    money.append(words("balance_now", credits=words.count("credits", credits)))
    lines.append("💳 " + "\n".join(each for each in money if each))
    # With what was made come the prompts; where nothing was, only these words are left to try again with.
    about = _unimproved(generation, words) if generation.delivered_count else _own_words(generation, words)
    return "\n\n".join([*lines, about] if about else lines)


def _own_words(generation: Generation, words: Words) -> str:
    return f"{words('your_words')}:\n{_code(cut(generation.prompt, HALF_UNITS))}"


def _unimproved(generation: Generation, words: Words) -> str:
    """Why the words were not improved; empty if they were."""
    if generation.prompt_source is not PromptSource.OWN_WORDS:
        return ""
    asked = generation.own_words_reason is OwnWordsReason.ASKED
    return f"<i>{words('own_words_used' if asked else 'own_words_unavailable')}</i>"


def _prompts(generation: Generation, words: Words) -> str:
    """The user's words, and the improved ones beside them."""
    own = _own_words(generation, words)
    if generation.prompt_source is PromptSource.IMPROVED:
        return f"{own}\n\n{words('improved_words')}:\n{_code(cut(generation.effective_prompt, HALF_UNITS))}"
    if generation.prompt_source is PromptSource.OWN_WORDS:
        return f"{own}\n\n{_unimproved(generation, words)}"
    if not generation.enhance_prompt:
        return own
    return f"{own}\n\n<i>{words('improving')}</i>"


def caption(item: Item, types: dict[str, GenerationType], words: Words, *, place: str = "", notice: str = "") -> str:
    """Beneath an item: what it is, its prompts as far as they fit, when, for how much, by which model."""
    title = f"{looks.icon(item.type, types)} <b>{looks.one(item.type, types, words)}</b>"
    title += (" ⭐" if item.favorite else "") + (f" · {place}" if place else "")
    facts = looks.date(item.create_time, words)
    facts += f" · {words.count('credits', item.credits)}" if item.credits else ""
    facts += f"\n{words('model_label')}: {escape(item.model)}" if item.model else ""
    top = [escape(notice)] if notice else []
    if item.trashed:
        top.append(f"🗑️ {words('in_trash')}")
    improved = item.effective_prompt if item.effective_prompt != item.prompt else ""
    labels = words("your_words") + (words("improved_words") if improved else "")
    left = MAX_CAPTION_UNITS - SPARE_UNITS - sum(map(units, (title, facts, labels, *top)))
    shown_own = cut(item.prompt, left // 2 if improved else left)
    lines = [*top, title]
    if item.prompt:  # An older gallery may not have kept it.
        lines.append(f"{words('your_words')}:\n{_code(shown_own)}")
    if improved:
        lines.append(f"{words('improved_words')}:\n{_code(cut(improved, left - units(shown_own)))}")
    return "\n\n".join([*lines, facts])


def whole_prompts(item: Item, words: Words) -> list[str]:
    """Both prompts of an item, a message each."""
    hint = f"<i>{words('tap_to_copy')}</i>"
    room = MAX_TEXT_UNITS - 200
    texts = [f"{words('your_words')}:\n{_code(cut(item.prompt, room))}\n\n{hint}"]
    if item.effective_prompt and item.effective_prompt != item.prompt:
        texts.append(f"{words('improved_words')}:\n{_code(cut(item.effective_prompt, room))}\n\n{hint}")
    return texts


def empty(list_name: str, words: Words, notice: str = "") -> str:
    """For a list without items."""
    said = words("empty_trash" if list_name == TRASH else "empty_filter" if list_name else "empty_gallery")
    return f"{escape(notice)}\n\n{said}" if notice else said


def statement(entries: tuple[LedgerEntry, ...], credits: int, words: Words) -> str:
    """Lines of the statement as sentences, newest first."""
    parts = [f"<b>{words('title_statement')}</b>", balance(credits, words)]
    for line in entries:
        sign = "➕" if line.amount > 0 else "➖"
        after = f"{words('statement_column_balance')}: {words.number(line.balance_after)}"
        sentence = escape(looks.entry(line, words))
        parts.append(f"{sign} {sentence}\n<i>{looks.date(line.create_time, words)} · {after}</i>")
    if not entries:
        parts += [words("empty_statement"), words("statement_empty_hint")]
    return "\n\n".join(parts)


def away(words: Words) -> str:
    return f"📡 <b>{words('away_title')}</b>\n\n{words('away_text')}"


def not_found(words: Words) -> str:
    return f"<b>{words('not_found_title')}</b>\n\n{words('not_found_text')}"


def wrong(words: Words, error_id: str = "") -> str:
    number = f"\n{words('wrong_id', id=escape(error_id))}" if error_id else ""
    return f"<b>{words('wrong_title')}</b>\n\n{words('wrong_text')}{number}"


def _code(text: str) -> str:
    return f"<code>{escape(text, quote=False)}</code>"
