"""``python -m sandbox``: starts the vendors' stand-ins, says where they are, and serves until it is told to stop.

The addresses are printed when everything is ready, on stdout, as the environment variables that point the service at
the sandbox: as lines that a shell can read, or as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import signal
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Column, Table

from sandbox.fault_kinds import KINDS, word_of
from sandbox.listener import PortTaken
from sandbox.options import InvalidOption, SandboxOptions
from sandbox.server import Sandbox, running_sandbox

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


def _list_faults(wanted: bool) -> None:
    if not wanted:
        return
    # The words are there to be copied, and are whole also on a narrow terminal.
    table = Table(Column("word for a prompt", no_wrap=True), "operation, kind: what happens")
    for operation, kinds in KINDS.items():
        for kind, text in kinds.items():
            table.add_row(f"\\[sandbox:{word_of(operation, kind)}]", f"{operation}, {kind}: {text}")
        table.add_section()
    Console().print(table)
    raise typer.Exit


@app.command()
def main(
    fal_port: Annotated[int, typer.Option(help="Port of the fal queue (TLS); 0 for a free one.")] = 0,
    openai_port: Annotated[int, typer.Option(help="Port of OpenAI's API (HTTP); 0 for a free one.")] = 0,
    control_port: Annotated[int, typer.Option(help="Port of the control API (HTTP); 0 for a free one.")] = 0,
    ca_file: Annotated[
        Path | None, typer.Option(help="Where to write the CA certificate to trust; a temporary file if not given.")
    ] = None,
    speed: Annotated[float, typer.Option(help="1 takes seconds a picture, 1000 is as good as at once.")] = 1.0,
    picture_side: Annotated[int, typer.Option(help="Longer side of drawn pictures, in pixels.")] = 1024,
    validate_at: Annotated[
        Literal["result", "submit"],
        typer.Option(help="When wrong arguments are refused; the vendor: with the result."),
    ] = "result",
    fal_key: Annotated[str, typer.Option(help="The fal key that is accepted.")] = "sandbox-fal-key",
    openai_api_key: Annotated[str, typer.Option(help="The OpenAI key that is accepted.")] = "sandbox-openai-key",
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", callback=_list_faults, is_eager=True, help="List all faults and leave.")
    ] = False,
) -> None:
    """Stand-ins for fal (queue, media, webhooks) and OpenAI (responses, moderations) on this machine.

    Prints the addresses when it is ready and serves until SIGINT or SIGTERM. Nothing leaves the machine, no money is
    spent; pictures and video are drawn. Faults are ordered over the control API or by words in a prompt, see
    --list-faults.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        options = SandboxOptions(
            fal_port=fal_port,
            openai_port=openai_port,
            control_port=control_port,
            ca_file=ca_file,
            speed=speed,
            picture_side=picture_side,
            validate_at=validate_at,
            fal_key=fal_key,
            openai_api_key=openai_api_key,
        )
        asyncio.run(_serve(options, as_json))
    except (InvalidOption, PortTaken) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _serve(options: SandboxOptions, as_json: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with running_sandbox(options) as sandbox:
        print(_json_line(sandbox) if as_json else _lines(sandbox), flush=True)
        await stopping.wait()


def _json_line(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.environment() | {"SANDBOX_CONTROL_URL": sandbox.control_url})


def _lines(sandbox: Sandbox) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sandbox.environment().items()]
    return "\n".join([*lines, f"# control API: {sandbox.control_url}/sandbox/faults, .../jobs, .../counters"])
