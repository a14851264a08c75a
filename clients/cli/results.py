"""Generations and items for people: what was made of which words, what it cost, where it is."""

from __future__ import annotations

from rich.text import Text

from clients.cli.output import clean, file_size, local_time
from clients.cli.progress import describe_state
from clients.cli.session import Session
from clients.cli.words import Words
from clients.sdk import Generation, GenerationState, Item, Media, MediaKind, OwnWordsReason, PromptSource

_MARKS = {
    GenerationState.SUCCEEDED: ("✓", "green"),
    GenerationState.FAILED: ("✗", "red"),
    GenerationState.CANCELLED: ("✗", "yellow"),
}
_KINDS = {MediaKind.IMAGE: "🖼", MediaKind.VIDEO: "🎬"}


def print_outcome(generation: Generation, session: Session) -> None:
    """What a generation made, or in one plain sentence why it did not; and what became of the credits."""
    words, out = session.words, session.out
    mark, colour = _MARKS.get(generation.state, ("·", "dim"))
    out.print(Text(f"{mark} ", style=colour) + Text(_headline(generation, words), style="bold"), soft_wrap=True)
    print_prompts(generation, session)
    for item in generation.items:
        out.print(f"  {item.index + 1}  {item.item_id}  {format_of(item.media)}", soft_wrap=True)
    out.print(f"  {_credits_sentence(generation, words)}.", soft_wrap=True)


def print_goes_on(generation: Generation, session: Session) -> None:
    """That nobody has to wait for it, and how to see it again."""
    shown = f"triptych watch {generation.generation_id}"
    session.err.print(session.words("goes_on", command=shown), soft_wrap=True)


def _headline(generation: Generation, words: Words) -> str:
    if generation.state is GenerationState.SUCCEEDED:
        return words(
            "done",
            duration=words.seconds(duration_seconds(generation)),
            delivered=generation.delivered_count,
            asked=generation.output_count,
        )
    if generation.failure is not None:
        return clean(generation.failure.message.in_language(words.language))
    return describe_state(generation, words)


def print_prompts(generation: Generation, session: Session) -> None:
    """The user's own words and, where they were improved, what was made of them; else why they were not."""
    words, out = session.words, session.out
    rows = [(words("own_words"), clean(generation.prompt))]
    if generation.prompt_source is PromptSource.IMPROVED:
        rows.append((words("improved"), clean(generation.effective_prompt)))
    elif generation.own_words_reason is OwnWordsReason.UNAVAILABLE:
        rows.append((words("improved"), words("improver_away")))
    elif generation.own_words_reason is OwnWordsReason.REFUSED:
        rows.append((words("improved"), words("improver_refused")))
    for label, text in rows:
        out.print(Text(f"  {label}: ", style="dim") + Text(text), soft_wrap=True)


def _credits_sentence(generation: Generation, words: Words) -> str:
    debited, refunded = generation.credits_debited, generation.credits_refunded
    if not refunded:
        return words("cost" if generation.ended else "taken", credits=words.credits(debited))
    key = "all_back" if refunded == debited else "cost_part"
    return words(key, debited=words.credits(debited), refunded=words.credits(refunded))


def duration_seconds(generation: Generation) -> float:
    """From the request to the end; 0 while it has not ended."""
    if generation.create_time is None or generation.end_time is None:
        return 0.0
    return (generation.end_time - generation.create_time).total_seconds()


def format_of(media: Media) -> str:
    """Size, type and length: 1024×1024 PNG, 1.2 MiB."""
    parts = [f"{media.width}×{media.height}", media.content_type.rpartition("/")[2].upper()]
    if media.duration_seconds:
        parts.append(f"{media.duration_seconds:.1f} s")
    return " ".join(parts) + f", {file_size(media.size_bytes)}"


def print_item(item: Item, session: Session) -> None:
    """Everything that a user may want to know of an item."""
    words, out = session.words, session.out
    marks = [words("favorite")] if item.favorite else []
    marks += [words("trash")] if item.trashed else []
    title = f"{_KINDS.get(item.kind, '')} {item.item_id}".strip()
    out.print(Text(title, style="bold") + Text(f"  {', '.join(marks)}" if marks else ""), soft_wrap=True)
    rows = [(words("own_words"), clean(item.prompt))] if item.prompt else []
    if item.effective_prompt != item.prompt:
        rows.append((words("improved"), clean(item.effective_prompt)))
    details = [item.type, item.aspect_ratio, item.model] + ([f"seed {item.seed}"] if item.seed is not None else [])
    rows += [
        (words("column.what"), ", ".join(clean(each) for each in details if each)),
        (words("column.size"), format_of(item.media)),
        (words("column.origin"), words("imported"))
        if item.imported
        else (words("column.price"), words.credits(item.credits)),
        (words("column.when"), local_time(item.create_time)),
    ]
    for label, text in rows:
        out.print(Text(f"  {label}: ", style="dim") + Text(text), soft_wrap=True)


def item_line(item: Item) -> str:
    """An item on one line."""
    star = " ★" if item.favorite else ""
    return f"{item.item_id}  {_KINDS.get(item.kind, '')}{star} {clean(item.prompt)}"
