"""``triptych history`` put together."""

from __future__ import annotations

import typer

from clients.cli.history import exporting, plotting, projecting, querying, reading, simulating

app = typer.Typer(
    no_args_is_help=True,
    help="The log of everything that happened: read it, take it away, ask it questions.\n\n"
    "`docs/analysts.md` shows it at work.",
)
for topic in (reading, exporting, querying, plotting, simulating, projecting):
    app.add_typer(topic.app)
