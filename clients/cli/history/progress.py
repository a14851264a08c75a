"""A bar with rate and time left while history is read, on a terminal's stderr; nothing in pipes and with --json."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from clients.cli.session import Session
from clients.history.source import OnProgress, Selection, nobody_watches


@contextmanager
def shown(session: Session, what: str, selected: Selection) -> Iterator[OnProgress]:
    """How far a replay of ``selected`` is."""
    if session.as_json or not session.err.is_terminal:
        yield nobody_watches
        return
    end = selected.until_position or session.client.get_head()
    with bar(session, what, start=selected.after, end=end) as on_progress:
        yield on_progress


@contextmanager
def bar(session: Session, what: str, *, start: int, end: int) -> Iterator[OnProgress]:
    """A bar of positions from ``start`` to ``end``, with events a second."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[count]:,} events, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=session.err, transient=True) as progress:
        task = progress.add_task(what, total=max(end - start, 1), count=0, rate=0.0)
        count = 0

        def on_progress(position: int, event_count: int) -> None:
            nonlocal count
            count += event_count
            rate = count / max(time.monotonic() - began, 0.001)
            progress.update(task, completed=position - start, count=count, rate=rate)

        yield on_progress


@contextmanager
def steps(session: Session, what: str) -> Iterator[Callable[[int, int], None]]:
    """The same for work on the service, which tells where it is and where it ends."""
    if session.as_json or not session.err.is_terminal:
        yield nobody_watches
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=session.err, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda position, end: progress.update(task, completed=position, total=max(end, 1))
