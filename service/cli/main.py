"""The commands of ``triptychd`` and their help."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

# The transport's own log lines are not for people. It reads this when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from service.bootstrap import open_databases
from service.bootstrap.databases import migrate_databases
from service.cli import doctor as doctors
from service.cli.copy_events import copy_events
from service.cli.health import health
from service.cli.import_gallery import import_gallery
from service.cli.logs import set_up_logs
from service.cli.problems import told_plainly
from service.cli.projections import app as projections_app
from service.cli.seed import seed
from service.cli.serve import serve as serve_until_stopped
from service.config import Settings, load_settings

app = typer.Typer(
    name="triptychd",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Runs and looks after Triptych: one gallery for pictures and video that are made on request.\n\n"
    "Settings come from environment variables TRIPTYCH_... (docs/settings.md lists them). Without any, everything "
    "is kept in one data folder, with an embedded PostgreSQL.",
    epilog="First time? Try: triptychd demo",
)
app.add_typer(projections_app, name="projections")
app.command()(seed)
app.command("import")(import_gallery)
app.command("copy-events")(copy_events)
app.command()(health)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def settings_for_command(**overrides: Any) -> Settings:
    settings = load_settings(**overrides)
    set_up_logs(settings)
    return settings


@app.command()
def serve(
    roles: Annotated[
        str | None,
        typer.Option(
            help="What this process does: any of api, projector, worker, webhook, web. [env: TRIPTYCH_ROLES]"
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address of the gRPC API. [env: TRIPTYCH_API_HOST]")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the gRPC API, 0 for a free one. [env: TRIPTYCH_API_PORT]")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="How many API processes share the port. [env: TRIPTYCH_PROCESSES]")
    ] = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Folder where everything is kept. [env: TRIPTYCH_DATA_DIR]")
    ] = None,
    until_stdin_ends: Annotated[
        bool, typer.Option("--until-stdin-ends", hidden=True, help="Stop also when standard input, a pipe, ends.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the service until Ctrl-C or SIGTERM.

    With --json, one line on stdout says when all is ready and where: {"api": "127.0.0.1:50051", ...}.

    Example: triptychd serve --roles api,projector,worker,web --processes 2
    """
    with told_plainly():
        settings = settings_for_command(
            roles=roles, api_host=host, api_port=port, processes=processes, data_dir=data_dir
        )
        uvloop.run(serve_until_stopped(settings, as_json=as_json, until_stdin_ends=until_stdin_ends))


@app.command()
def demo() -> None:
    """Show the main job from end to end: a sandbox in place of the vendors, the service, and a client.

    Takes under a minute, costs nothing, checks what it tells, and ends with exit code 0 if all of it was true.
    """
    raise typer.Exit(subprocess.run([sys.executable, "-m", "demo"], check=False).returncode)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the databases' tables up to date.

    The embedded database is migrated by itself when the service starts. Safe to run again, and while others run it.
    """
    with told_plainly():
        settings = settings_for_command()
        applied = asyncio.run(_migrate(settings))
    if as_json:
        sys.stdout.write(json.dumps({"applied": applied}) + "\n")
        return
    console = Console(highlight=False)
    for name in applied:
        console.print(f"applied {name}")
    console.print("The tables are up to date.")


async def _migrate(settings: Settings) -> list[str]:
    async with open_databases(settings) as databases:
        return await migrate_databases(databases)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check everything: settings, databases, projections, and every credit in the log.

    Recounts the whole log from its events alone: each ended generation must have cost what it delivered, each
    balance must be what was granted, taken and given back; then compares the read models with that. Works while the
    service runs, and changes nothing. Exit code 1 if anything differs.
    """
    with told_plainly():
        settings = settings_for_command()
        healthy = asyncio.run(doctors.examine(settings, as_json=as_json))
    raise typer.Exit(0 if healthy else 1)


def main() -> None:
    """The entry point."""
    app()
