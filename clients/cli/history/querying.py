"""history sql: asks history in SQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from clients.cli import problems
from clients.cli.history import answers, options, progress
from clients.cli.session import Session, command
from clients.history.source import Selection
from clients.history.sql import EventsDatabase, over_export, over_replay

app = typer.Typer()


@command(app)
def sql(
    session: Session,
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="SQL of DuckDB over `events` and `generations`; - reads it from stdin."),
    ],
    over: options.Over = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    after: options.After = 0,
    since: options.Since = None,
    until: options.Until = None,
    event: options.EventTypes = None,
    category: options.Categories = None,
    type_name: options.GenerationType = None,
) -> None:
    """Ask history in SQL (DuckDB), over an export or straight over the service's log.

    `events` has a row for each event, `generations` one for each generation; docs/analysts.md lists their columns.
    For more than a few questions export once, and ask with --over.

    Examples:

      triptych history sql "select type, count(*) from events group by 1 order by 2 desc"

      triptych history sql "select day, sum(credits_taken) from generations, ..." --over history/ --csv
    """
    if as_csv and session.as_json:
        raise problems.Usage("--csv and --json cannot be given together; choose one.")
    text = sys.stdin.read() if query == "-" else query
    selected = options.selection(
        session, after=after, since=since, until=until, event=event, category=category, type_name=type_name
    )
    with database(session, over, selected) as events:
        answer = events.query(text)
        if session.as_json:
            answers.print_json_lines(answer)
        elif as_csv:
            answers.print_csv(answer)
        else:
            answers.print_table(answer, session)


@contextmanager
def database(session: Session, over: Path | None, selected: Selection) -> Iterator[EventsDatabase]:
    """The export that was named, or the service's log. Raises Usage."""
    if over is None:
        with (
            progress.shown(session, "Reading", selected) as on_progress,
            over_replay(session.client, selected, on_progress) as events,
        ):
            yield events
        return
    if not options.is_everything(selected):
        raise problems.Usage("--over reads all of an export; say in the SQL which events are meant (where ...).")
    with over_export(over) as events:
        yield events
