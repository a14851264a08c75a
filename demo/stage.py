"""What the demo shows and checks: a story told on a console, in which nothing is said that was not seen.

Every claim goes through ``check``: the first one that does not hold ends the demo with exit code 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from clients.sdk import Generation, GenerationState, Item, LedgerEntry, Triptych, TypeCount

ICONS = {"avatar": "👤", "imagen4": "🎨", "video": "🎥"}
PANELS = {"avatar": "📸 Photos with me", "imagen4": "🖼️ Images", "video": "🎥 Video"}


class NotTrue(Exception):
    """Something that the demo was about to tell is not so."""


@dataclass
class Stage:
    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    chapters: int = 0
    claims: int = 0

    def chapter(self, title: str) -> None:
        self.chapters += 1
        self.console.print(f"\n[bold]{self.chapters}. {title}[/bold]")

    def say(self, text: str) -> None:
        self.console.print(f"   {text}", markup=False)

    def check(self, claim: str, holds: bool, seen: object = "") -> None:
        """Tells ``claim`` if it holds. Raises NotTrue if not, with what was seen instead."""
        if not holds:
            raise NotTrue(f"this should have been so: {claim}; seen: {seen}")
        self.claims += 1
        self.console.print(f"   [green]✓[/green] {escape(claim)}")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        with self._progress() as progress:
            progress.add_task(what, total=None)
            yield

    def watch(self, client: Triptych, generation: Generation) -> Generation:
        """Shows a generation from the queue to its end, and returns it as it ended."""
        last, shown = generation, ""
        with self._progress() as progress:
            task = progress.add_task("asked for", total=None)
            for last in client.watch_generation(generation.generation_id, user_id=generation.user_id):
                line = describe(last)
                progress.update(task, description=line)
                if line != shown and not self.console.is_terminal:
                    self.say(f"… {line}")
                shown = line
        return last

    def _progress(self) -> Progress:
        columns = (TextColumn("  "), SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        return Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)

    def show_items(self, items: Iterable[Item]) -> None:
        table = Table("", "what was asked for", "file", "size", box=None, pad_edge=False)
        for item in items:
            size = f"{item.media.width}×{item.media.height}"
            if item.media.duration_seconds:
                size += f", {item.media.duration_seconds:.1f} s"
            table.add_row(ICONS[item.type], _short(item.prompt), item.media.content_type, size)
        self._indented(table)

    def show_counts(self, counts: Iterable[TypeCount]) -> None:
        self.say("   ".join(f"{PANELS[count.type]} {count.count}" for count in counts))

    def show_statement(self, entries: Iterable[LedgerEntry]) -> None:
        table = Table("no.", "what", "credits", "balance", box=None, pad_edge=False)
        for column in (2, 3):
            table.columns[column].justify = "right"
        for entry in entries:
            table.add_row(str(entry.entry_number), _reason(entry), f"{entry.amount:+d}", str(entry.balance_after))
        self._indented(table)

    def _indented(self, table: Table) -> None:
        grid = Table.grid()
        grid.add_row("   ", table)
        self.console.print(grid)


def describe(generation: Generation) -> str:
    """How it stands, in a few words."""
    if generation.state is GenerationState.SUBMITTED:
        if generation.queue_position is not None:
            return f"waits at the vendor, place {generation.queue_position + 1} in its queue"
        return f"is being made: {generation.progress_message}" if generation.progress_message else "is at the vendor"
    words = {
        GenerationState.QUEUED: "queued",
        GenerationState.PREPARING: "the prompt is checked and improved",
        GenerationState.SUBMITTING: "goes to the vendor",
        GenerationState.SUCCEEDED: "done",
    }
    return words.get(generation.state, generation.state.value)


def _reason(entry: LedgerEntry) -> str:
    if entry.kind == "grant":
        return f"granted: {entry.note}"
    if entry.kind == "debit":
        return f"{ICONS.get(entry.generation_type, '')} {entry.generation_type}"
    why = {"failed": "it failed", "undelivered": "not all came", "cancelled": "cancelled", "manual": "by hand"}
    return f"given back: {why.get(entry.refund_cause.value, entry.refund_cause.value)}"


def _short(text: str) -> str:
    text = " ".join(word for word in text.split() if not word.startswith("[sandbox:"))
    return text if len(text) <= 60 else text[:57] + "…"
