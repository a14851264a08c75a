"""history project: runs an analyst's own projection over history."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from clients.cli.history import options, progress
from clients.cli.output import clean
from clients.cli.session import Session, command
from clients.cli.tables import bare_table
from clients.history.errors import ProjectionFailed, ProjectionUnusable
from clients.history.projections import load
from clients.sdk import to_dict

app = typer.Typer()


@command(app)
def project(
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="MODULE:CLASS", help="A class with apply(event); also file.py:CLASS.")
    ],
    show_traceback: Annotated[
        bool, typer.Option("--traceback", help="If it raises, show where in its own code.")
    ] = False,
    after: options.After = 0,
    since: options.Since = None,
    until: options.Until = None,
    event: options.EventTypes = None,
    category: options.Categories = None,
    type_name: options.GenerationType = None,
) -> None:
    """Run a projection of your own over history, and print its result.

    It is a Python class: apply(event) is called with each event in order, then result(). docs/analysts.md has one in
    ten lines.

    Example: triptych history project revenue.py:Revenue --since 2026-11-01T00:00Z
    """
    try:
        projection = load(name, Path.cwd())
        selected = options.selection(
            session, after=after, since=since, until=until, event=event, category=category, type_name=type_name
        )
        wanted = replace(selected, event_types=selected.event_types or projection.event_types)
        with progress.shown(session, "Projecting", wanted) as on_progress:
            result = projection.run(session.client, wanted, on_progress)
    except (ProjectionFailed, ProjectionUnusable) as error:
        if show_traceback and error.__cause__ is not None:
            _show_traceback(error.__cause__, session)
        raise
    if session.as_json:
        session.out.print(json.dumps(to_dict(result), ensure_ascii=False, default=str), soft_wrap=True)
    else:
        _print_result(result, session)


def _show_traceback(cause: BaseException, session: Session) -> None:
    """The projection's own frames: this program's are no help."""
    here = str(Path(__file__).parents[2])
    frames = traceback.extract_tb(cause.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(here) and "importlib" not in frame.filename]
    lines = [*traceback.format_list(own), *traceback.format_exception_only(cause)]
    session.err.print("".join(lines).rstrip(), soft_wrap=True)


def _print_result(result: Any, session: Session) -> None:
    if isinstance(result, Mapping) and result:
        table = bare_table("", "")
        table.show_header = False
        for key, value in result.items():
            table.add_row(Text(_words(key)), Text(_words(value)))
        if all(isinstance(value, int | float) for value in result.values()):
            table.columns[1].justify = "right"
        session.out.print(table)
    elif isinstance(result, list | tuple):
        for each in result:
            session.out.print(_words(each), soft_wrap=True)
    else:
        session.out.print(str(result), soft_wrap=True)


def _words(value: Any) -> str:
    """A value in a row: a key of several parts is told as those parts."""
    if isinstance(value, tuple):
        return ", ".join(_words(each) for each in value)
    return clean(str(value))
