"""history plot: days and types as pictures, in a file or in the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from clients.cli import problems
from clients.cli.history import options
from clients.cli.history.bars import print_bars
from clients.cli.history.querying import database
from clients.cli.output import print_json
from clients.cli.session import Session, command
from clients.history.daily import MEASURES, NEEDED_EVENTS, Measure, Period, count
from clients.history.plots import check_ending, draw

app = typer.Typer()


@command(app)
def plot(
    session: Session,
    measures: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MEASURE...]", help=f"{', '.join(MEASURES)}. [default: all of them]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Draw into this .png, .svg or .pdf instead of the terminal.")
    ] = None,
    by: Annotated[Period, typer.Option("--by", help="How much time a bar stands for.")] = "day",
    over: options.Over = None,
    since: options.Since = None,
    until: options.Until = None,
    type_name: options.GenerationType = None,
) -> None:
    """Plot generations, failures, refunds and credits, per day (UTC) and type.

    Examples:

      triptych history plot failures refunds --since 2026-11-01T00:00Z

      triptych history plot --over history/ --by week --out year.png
    """
    wanted = _measures(measures or list(MEASURES))
    if out is not None:
        check_ending(out)
    selected = options.selection(session, since=since, until=until, type_name=type_name)
    if over is None:
        selected = replace(selected, event_types=NEEDED_EVENTS)
    with database(session, over, selected) as events:
        series = [count(events, measure, by) for measure in wanted]
    if out is not None:
        draw(series, out)
    if session.as_json:
        for each in series:
            print_json(each)
    elif out is not None:
        session.out.print(str(out), soft_wrap=True)
    else:
        for index, each in enumerate(series):
            if index:
                session.out.print()
            print_bars(each, session)


def _measures(names: list[str]) -> list[Measure]:
    if unknown := [name for name in names if name not in MEASURES]:
        raise problems.Usage(f"MEASURE {unknown[0]!r} is not known; there are: {', '.join(MEASURES)}.")
    return [measure for measure in MEASURES if measure in names]
