"""The command line put together."""

from __future__ import annotations

import os
from importlib import metadata
from typing import Annotated

import typer

# The transport's own log lines are not for people. It reads this when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from clients.cli import credits, gallery, generating, watching, web_link
from clients.cli.history import app as history
from clients.cli.output import tolerate_narrow_encodings
from clients.cli.session import AsJson, CaFile, Common, InLanguage, Server, Token, User

app = typer.Typer(
    name="triptych",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Asks Triptych for pictures and video, and shows the gallery, credits and statements.\n\n"
    "Say once whose: `export TRIPTYCH_USER=anna`. Exit codes: 0 done, 1 refused or failed, 2 asked wrongly, "
    "3 the service cannot be reached.",
    epilog='First time? `triptych credits grant 100 --user anna`, then `triptych generate "a red fox" --user anna`.',
)
app.add_typer(generating.app)
app.add_typer(watching.app)
app.add_typer(gallery.app)
app.add_typer(credits.refund_app)
app.add_typer(credits.app, name="credits")
app.add_typer(web_link.app)
app.add_typer(history.app, name="history")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("triptych"))
        raise typer.Exit


@app.callback()
def common_options(
    ctx: typer.Context,
    user: User = None,
    server: Server = None,
    token: Token = None,
    ca_file: CaFile = None,
    language: InLanguage = None,
    as_json: AsJson = False,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit."),
    ] = False,
) -> None:
    ctx.obj = Common(user=user, server=server, token=token, ca_file=ca_file, language=language, as_json=as_json)


def main() -> None:
    """The entry point."""
    tolerate_narrow_encodings()
    app()
