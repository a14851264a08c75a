"""Lists for people: tables that keep ids whole, fit 80 columns, and read as well without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from clients.cli.output import clean, local_time
from clients.cli.session import Session
from clients.cli.words import Words
from clients.sdk import (
    Catalog,
    Generation,
    GenerationType,
    Item,
    LedgerEntry,
    LedgerEntryKind,
    Page,
    TypeCount,
)


def bare_table(*headers: str) -> Table:
    """A table without lines around it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        table.add_column(header)
    return table


def _over_id(text: str, identity: str) -> Text:
    """A line of text over the id that one copies."""
    line = Text(clean(text), no_wrap=True, overflow="ellipsis")
    return Text("\n").join([line, Text(identity, style="dim", no_wrap=True, overflow="fold")])


def print_items(page: Page[Item], types: Mapping[str, GenerationType], session: Session) -> None:
    """A page of the gallery."""
    words = session.words
    if not page.items:
        session.out.print(f"{words('nothing_here')}.")
        return
    table = bare_table("", words("column.what"), words("column.size"), words("column.when"))
    table.columns[1].ratio = 1
    table.columns[1].no_wrap = True
    for item in page:
        icon = types[item.type].icon if item.type in types else "·"
        size = f"{item.media.width}×{item.media.height}"
        table.add_row(
            f"{icon}\n★" if item.favorite else icon,
            _over_id(item.prompt, item.item_id),
            size,
            local_time(item.create_time).replace(" ", "\n"),
        )
    session.out.print(table)


def print_counts(counts: Sequence[TypeCount], types: Mapping[str, GenerationType], session: Session) -> None:
    """How many items there are of each type."""
    words = session.words
    parts = [f"{words('all')} {sum(each.count for each in counts)}"]
    for each in counts:
        known = types.get(each.type)
        title = f"{known.icon} {known.title.in_language(words.language)}" if known else each.type
        parts.append(f"{title} {each.count}")
    trashed = sum(each.trashed_count for each in counts)
    favorites = sum(each.favorite_count for each in counts)
    parts += [f"★ {favorites}"] if favorites else []
    parts += [f"{words('trash')} {trashed}"] if trashed else []
    session.out.print(" · ".join(parts), style="bold", soft_wrap=True)


def print_generations(rows: Sequence[tuple[Generation, str]], session: Session) -> None:
    """Generations with what is to be said of their state."""
    words = session.words
    if not rows:
        session.out.print(f"{words('nothing_here')}.")
        return
    table = bare_table(words("column.what"), words("column.state"), words("column.amount"), words("column.when"))
    table.columns[0].ratio = 1
    table.columns[0].no_wrap = True
    table.columns[2].justify = "right"
    for generation, state in rows:
        table.add_row(
            _over_id(f"{generation.type}: {generation.prompt}", generation.generation_id),
            state,
            str(generation.credits_charged),
            local_time(generation.create_time).replace(" ", "\n"),
        )
    session.out.print(table)


def print_types(catalog: Catalog, session: Session) -> None:
    """The catalog: a row for each type."""
    words = session.words
    table = bare_table(
        "", words("column.type"), words("column.price"), words("column.most"), words("column.ratios"), ""
    )
    for each in catalog.types:
        table.add_row(
            each.icon,
            f"{each.type}\n{each.title.in_language(words.language)}",
            words.credits(each.credits_per_output),
            str(each.max_output_count),
            " ".join(each.aspect_ratios),
            words("needs_reference") if each.needs_reference else "",
        )
    session.out.print(table)


def print_entries(page: Page[LedgerEntry], session: Session) -> None:
    """A page of a statement: signed amounts, and the balance after each."""
    words = session.words
    if not page.items:
        session.out.print(f"{words('nothing_here')}.")
        return
    table = bare_table(words("column.when"), words("column.amount"), words("column.balance"), words("column.what"))
    table.columns[1].justify = table.columns[2].justify = "right"
    table.columns[3].ratio = 1
    for entry in page:
        amount = Text(f"{entry.amount:+d}", style="red" if entry.amount < 0 else "green")
        table.add_row(local_time(entry.create_time), amount, str(entry.balance_after), _entry_text(entry, words))
    session.out.print(table)


def _entry_text(entry: LedgerEntry, words: Words) -> Text:
    parts = [words.named("entry", entry.kind.value)]
    if entry.kind is LedgerEntryKind.REFUND:
        parts.append(words.named("cause", entry.refund_cause.value))
    parts += [entry.generation_type, clean(entry.note), clean(entry.actor)]
    line = ", ".join(part for part in parts if part)
    identity = entry.generation_id or entry.grant_id
    return Text("\n").join([Text(line), Text(clean(identity), style="dim", overflow="fold")])


def print_tokens(page: Page[Any], session: Session) -> None:
    """How to see the neighbouring pages."""
    for key, token in (("older", page.next_page_token), ("newer", page.previous_page_token)):
        if token:
            session.out.print(session.words(key, token=token), style="dim", soft_wrap=True)
