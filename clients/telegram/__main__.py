"""``python -m clients.telegram``, or ``triptych-telegram``: runs the bot until it is stopped.

With ``--json`` the first line on stdout is JSON with the bot's name, for programs that start it. It is printed when
updates are taken.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from importlib.util import find_spec
from typing import Annotated, NoReturn

import structlog
import typer

# The transport's own log lines are not for people. It reads this when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from clients.sdk import AsyncTriptych, InvalidOption
from clients.telegram.settings import TelegramSettings, TelegramSettingsError, load_telegram_settings

NEEDED = ("aiogram", "aiosqlite", "aiohttp")


def serve(as_json: Annotated[bool, typer.Option("--json", help="Print the bot's name as JSON.")] = False) -> None:
    """Runs the Telegram bot. Settings: TRIPTYCH_TELEGRAM_..., TRIPTYCH_SERVER, TRIPTYCH_TOKEN (docs/telegram.md)."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        _end(2, f"the bot needs {', '.join(missing)}. Install: pip install 'triptych[telegram]'")
    try:
        settings = load_telegram_settings()
        client = AsyncTriptych()
    except (TelegramSettingsError, InvalidOption) as error:
        _end(2, str(error))
    asyncio.run(run(settings, client, as_json=as_json))


async def run(settings: TelegramSettings, client: AsyncTriptych, *, as_json: bool) -> None:
    """Runs the bot until SIGINT or SIGTERM. Raises typer.Exit, after it has said why."""
    # Only now: without the libraries the sentence above is what people should read.
    from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
    from aiogram.utils.token import TokenValidationError

    from clients.telegram.app import running_bot

    stopped = asyncio.Event()
    try:
        async with running_bot(settings, client) as running:
            for name in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(name, stopped.set)
            _ready(running.me.username or "", running.me.id, as_json=as_json)
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait({stopping, running.polling}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if running.polling.done():
                running.polling.result()  # Raises what ended it.
    except (TokenValidationError, TelegramUnauthorizedError):
        _end(2, "TRIPTYCH_TELEGRAM_TOKEN: Telegram does not know this token; @BotFather shows the right one")
    except TelegramAPIError as error:
        _end(1, f"Telegram cannot be reached or refused a call: {error.message}")
    except (OSError, sqlite3.Error) as error:
        _end(1, f"TRIPTYCH_TELEGRAM_DATA_DIR: cannot keep data in {settings.data_dir}: {error}")


def _ready(name: str, bot_id: int, *, as_json: bool) -> None:
    told = json.dumps({"bot": name, "id": bot_id}) if as_json else f"The bot is t.me/{name}. Ctrl-C stops it."
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


def _end(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"triptych-telegram: {message}\n")
    raise typer.Exit(code)


def main() -> None:
    """The entry point."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for the ready line.
    typer.run(serve)


if __name__ == "__main__":
    main()
