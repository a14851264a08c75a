"""Commands that read the log: history replay, history follow, history types."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from typing import Annotated

import typer
from rich.text import Text

from clients.cli import tables
from clients.cli.history import options
from clients.cli.history.lines import line
from clients.cli.output import local_time, print_json
from clients.cli.session import Session, command
from clients.history.source import replay as replay_batches
from clients.sdk import EventBatch

app = typer.Typer()

Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Stop after so many events.")]


@command(app)
def replay(
    session: Session,
    limit: Limit = None,
    after: options.After = 0,
    since: options.Since = None,
    until: options.Until = None,
    event: options.EventTypes = None,
    category: options.Categories = None,
    type_name: options.GenerationType = None,
) -> None:
    """Read what happened, a line for each event, in the order in which it happened.

    With --json a line is the whole event. To go on later, give the last position that you have to --after.

    Examples:

      triptych history replay --since yesterday

      triptych history replay --user anna --event GenerationFailed --json
    """
    selected = options.selection(
        session, after=after, since=since, until=until, event=event, category=category, type_name=type_name
    )
    with closing(replay_batches(session.client, selected)) as batches:
        _print(batches, session, limit)


@command(app)
def follow(
    session: Session,
    limit: Limit = None,
    after: Annotated[
        int | None,
        typer.Option("--after", min=0, help="Begin behind this position. [default: with what happens from now on]"),
    ] = None,
    event: options.EventTypes = None,
    category: options.Categories = None,
    type_name: options.GenerationType = None,
) -> None:
    """Follow what happens as it happens, until Ctrl-C.

    Examples:

      triptych history follow --event GenerationFailed --event CreditsRefunded

      triptych history follow --after 1042 --json
    """
    start = session.client.get_head() if after is None else after
    selected = options.selection(session, after=start, event=event, category=category, type_name=type_name)
    if not session.as_json:
        session.err.print(f"Following the log behind position {start}; Ctrl-C ends it.", style="dim")
    with closing(replay_batches(session.client, selected, follow=True)) as batches:
        _print(batches, session, limit)


def _print(batches: Iterable[EventBatch], session: Session, limit: int | None) -> None:
    left = limit if limit is not None else -1
    for batch in batches:
        for event in batch.events:
            if session.as_json:
                print_json(event)
            elif session.out.is_terminal:
                session.out.print(line(event), soft_wrap=True)
            else:  # Much quicker, and there are no colours to be had.
                sys.stdout.write(line(event).plain.rstrip() + "\n")
            left -= 1
            if left == 0:
                return
        sys.stdout.flush()


@command(app)
def types(session: Session) -> None:
    """List the types of events, what they mean, and how many there are.

    With --json also the JSON Schema of each.

    Example: triptych history types
    """
    found = session.client.list_event_types()
    if session.as_json:
        for each in found:
            print_json(each)
        return
    table = tables.bare_table("Type", "Count", "First", "Last")
    table.columns[0].ratio = 1
    table.columns[1].justify = "right"
    for each in found:
        times = (local_time(time).replace(" ", "\n") for time in (each.first_time, each.last_time))
        what = Text.assemble((each.name, "bold"), f"\n{each.category}: {each.description}")
        table.add_row(what, f"{each.count:,}", *times)
    session.out.print(table)
