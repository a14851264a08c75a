"""A generation as it comes along: one line that changes on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clients.cli.output import clean, print_json
from clients.cli.session import Session
from clients.cli.words import Words
from clients.sdk import Generation, GenerationState


def describe_state(generation: Generation, words: Words) -> str:
    """How far it is, in one line: its state, its place in the vendor's queue, the vendor's last word."""
    if generation.ended:
        return words.named("state", generation.state.value)
    if generation.queue_position is not None:
        key = "state.in_queue" if generation.queue_position else "state.next"
        return words(key, ahead=generation.queue_position)
    said = clean(generation.progress_message)
    # Whether the vendor works on it or lets it wait is only known once it says something.
    being_made = bool(said) and generation.state is GenerationState.SUBMITTED
    line = words.named("state", "being_made" if being_made else generation.state.value)
    return f"{line} ({said})" if said else line


def follow(states: Iterable[Generation], session: Session, *, every_state_as_json: bool = False) -> Generation | None:
    """Shows each state on stderr and returns the last one; None if there was none.

    With ``--json`` nothing is shown, but each state printed if ``every_state_as_json``.
    """
    last = None
    with _shown(session) as show:
        for last in states:
            if every_state_as_json:
                print_json(last)
            if not last.ended:  # Its end is told in full, by whoever asked for it.
                show(describe_state(last, session.words))
    return last


@contextmanager
def _shown(session: Session) -> Iterator[Callable[[str], None]]:
    """A function that shows what is going on."""
    if session.as_json:
        yield lambda line: None
    elif session.err.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=session.err, transient=True) as progress:
            task = progress.add_task("")
            yield lambda line: progress.update(task, description=line)
    else:
        told = [""]

        def print_news(line: str) -> None:
            if line != told[-1]:
                session.err.print(f"{line} ...", soft_wrap=True)
                told.append(line)

        yield print_news
