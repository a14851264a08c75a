"""Options that the commands of history share: which events, from where to where.

``--user`` is one of the common options. Here it has to be given: TRIPTYCH_USER says whose gallery is meant, and does
not silently make a part of the history of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from clients.cli.moments import end_of, start_of
from clients.cli.session import Session
from clients.history.source import EVERYTHING, Selection

PANEL = "Which events"

After = Annotated[
    int, typer.Option("--after", min=0, help="Only events behind this position.", rich_help_panel=PANEL)
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="From a time with its zone on, or yesterday, or today.", rich_help_panel=PANEL
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="MOMENT",
        help="Before a time with its zone, up to a position, or to the end of yesterday.",
        rich_help_panel=PANEL,
    ),
]
EventTypes = Annotated[
    list[str] | None,
    typer.Option("--event", "-e", help="Only this type of events; may be repeated.", rich_help_panel=PANEL),
]
Categories = Annotated[
    list[str] | None,
    typer.Option("--category", help="Only events of accounts, or of generations.", rich_help_panel=PANEL),
]
GenerationType = Annotated[
    str | None,
    typer.Option("--type", "-t", help="Only about this type of generations, such as imagen4.", rich_help_panel=PANEL),
]
Over = Annotated[
    Path | None,
    typer.Option("--over", metavar="FOLDER", help="An export to read instead of the service.", file_okay=False),
]


def selection(
    session: Session,
    *,
    after: int = 0,
    since: str | None = None,
    until: str | None = None,
    event: Sequence[str] | None = None,
    category: Sequence[str] | None = None,
    type_name: str | None = None,
) -> Selection:
    """What the options select. Raises Usage."""
    given: dict[str, Any] = {}
    if (end := end_of("--until", until)) is not None:
        given[end[0]] = end[1]
    return Selection(
        after=after,
        start_time=start_of("--since", since),
        event_types=tuple(event or ()),
        categories=tuple(category or ()),
        user_id=session.common.user,
        generation_type=type_name,
        **given,
    )


def is_everything(selected: Selection) -> bool:
    """Whether no option has left anything out."""
    return selected == EVERYTHING
