"""The whole log, once, into the audit, also where the log itself is damaged.

PostgreSQL's positions have no gaps (``triptych.append_events``), so one that is missing is an event that was deleted.
KurrentDB's positions tell nothing of that; there a deleted event shows as a gap in the versions of its stream.
An event that cannot be read is told and passed over: what else is wrong must be found all the same.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.application.audit import Audit
from service.ports.event_store import Batch, EventStore, UnreadableEvent

MOST_DAMAGE = 1000
"""Sentences about damage; after that it is clear that this log needs its backup."""


class _Course:
    """Where in the log the reading is, and what was not as it should be on the way."""

    def __init__(self, audit: Audit, *, gapless: bool) -> None:
        self.events = 0
        self.reached = 0
        self.damage: list[str] = []
        self._audit = audit
        self._gapless = gapless

    def see(self, batch: Batch) -> None:
        for recorded in batch:
            self._arrive(recorded.position)
            self._audit.see(recorded)
        self.events += len(batch)

    def pass_over(self, unreadable: UnreadableEvent) -> None:
        self._arrive(unreadable.position)
        self.damage.append(str(unreadable))

    def end(self, head: int) -> None:
        self._arrive(head + 1)

    @property
    def hopeless(self) -> bool:
        return len(self.damage) >= MOST_DAMAGE

    def _arrive(self, position: int) -> None:
        first, last = self.reached + 1, position - 1
        if self._gapless and first == last:
            self.damage.append(f"the event at position {first} is missing")
        elif self._gapless and first < last:
            self.damage.append(f"the events at positions {first} to {last} are missing")
        self.reached = position


async def recount(store: EventStore, audit: Audit, *, gapless: bool, quiet: bool) -> tuple[int, list[str]]:
    """How many events could be read, and a sentence for each damage to the log itself.

    ``gapless``: whether the store's positions are all taken, so that one without an event is damage.
    """
    head, course = await store.head(), _Course(audit, gapless=gapless)
    columns = (TextColumn("Recounting the log"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=head)
        while course.reached < head and not course.hopeless:
            try:
                async for batch in store.read_all(after=course.reached, until=head):
                    course.see(batch)
                    progress.update(task, completed=course.reached)
            except UnreadableEvent as unreadable:
                course.pass_over(unreadable)
            else:
                break
    if not course.hopeless:
        course.end(head)
    else:
        course.damage.append(f"the log is damaged beyond position {course.reached}, which is as far as it was read")
    return course.events, course.damage
