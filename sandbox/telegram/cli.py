"""``python -m sandbox.telegram``: starts the Bot API server, says where it is, and serves until told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import shlex
import signal
from typing import Annotated

import typer

from sandbox.listener import PortTaken
from sandbox.options import InvalidOption
from sandbox.telegram.options import SANDBOX_TOKEN, FloodLimits, TelegramOptions
from sandbox.telegram.server import TelegramServer, running_telegram

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def main(
    port: Annotated[int, typer.Option(help="Port of the Bot API (HTTP); 0 for a free one.")] = 0,
    control_port: Annotated[int, typer.Option(help="Port of the control API (HTTP); 0 for a free one.")] = 0,
    token: Annotated[str, typer.Option(help="The token that is accepted.")] = SANDBOX_TOKEN,
    username: Annotated[str, typer.Option(help="The bot's user name.")] = "triptych_sandbox_bot",
    lenient: Annotated[bool, typer.Option(help="Ignore unknown parameters, as Telegram does.")] = False,
    chat_per_second: Annotated[float, typer.Option(help="Messages a second in a chat; 0 for no limit.")] = 1.0,
    chat_burst: Annotated[int, typer.Option(help="How many may come at once in a chat.")] = 5,
    per_second: Annotated[float, typer.Option(help="Messages a second over all chats; 0 for no limit.")] = 30.0,
    callback_seconds: Annotated[float, typer.Option(help="How long a press can be answered.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one line of JSON.")] = False,
) -> None:
    """A stand-in for Telegram's Bot API on this machine, with a control API to act as its users.

    Prints the addresses when it is ready and serves until SIGINT or SIGTERM. Nothing leaves the machine.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        options = TelegramOptions(
            port=port,
            control_port=control_port,
            token=token,
            bot_username=username,
            strict=not lenient,
            flood=FloodLimits(chat_per_second=chat_per_second, chat_burst=chat_burst, per_second=per_second),
            callback_seconds=callback_seconds,
        )
        asyncio.run(_serve(options, as_json))
    except (InvalidOption, PortTaken) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _serve(options: TelegramOptions, as_json: bool) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with running_telegram(options) as server:
        print(json.dumps(environment(server)) if as_json else _lines(server), flush=True)
        await stopping.wait()


def environment(server: TelegramServer) -> dict[str, str]:
    """The bot's settings that point it at this server, and where the control API is."""
    return {
        "TRIPTYCH_TELEGRAM_API_URL": server.api_url,
        "TRIPTYCH_TELEGRAM_TOKEN": server.token,
        "SANDBOX_TELEGRAM_CONTROL_URL": server.control_url,
    }


def _lines(server: TelegramServer) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment(server).items()]
    return "\n".join([*lines, f"# a chat with the bot, in a browser: {server.control_url}/chats/1"])
