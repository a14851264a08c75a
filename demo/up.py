"""``python -m demo.up``: everything at once, to be opened in a browser; ends with Ctrl-C.

The sandbox in place of the vendors, and the service with its embedded database and, as a process of its own, the web
gallery. What is made stays from one time to the next. It prints a link that signs a demo user in, with credits to
spend.

With ``--telegram`` the Telegram bot runs, too: in Telegram itself if TRIPTYCH_TELEGRAM_TOKEN is set, else with a Bot
API server of the sandbox, which shows a chat with the bot in the browser.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from platformdirs import user_data_path

from clients.sdk import Triptych, TriptychError
from clients.web.links import SignInLinks
from clients.web.settings import WebSettings, secret_of
from demo.processes import StartFailed, running

CREDITS = 500


@dataclass(frozen=True)
class Up:
    """What is running, and the link to open. Times in seconds."""

    api: str
    web: str
    link: str
    bot: str = ""
    chat: str = ""
    """Where the sandbox's chat with the bot is opened; empty if the bot is in Telegram itself."""


def bring_up(stack: ExitStack, folder: Path, user_id: str, port: int, speed: str) -> Up:
    """Starts everything; ``stack`` stops it. Raises StartFailed, TriptychError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = stack.enter_context((folder / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartFailed(f"it is running already, with its data in {folder}") from None
    sandbox = stack.enter_context(
        running("sandbox", ["--json", "--speed", speed], environment={}, log_file=folder / "sandbox.log")
    )
    vendors = {name: value for name, value in sandbox.ready.items() if name.startswith("TRIPTYCH_")}
    web = WebSettings(data_dir=folder / "web", port=port, sign_in_seconds=86_400)
    settings = {
        **vendors,
        "TRIPTYCH_DATA_DIR": str(folder / "data"),
        "TRIPTYCH_API_PORT": "0",
        "TRIPTYCH_ROLES": "api,projector,worker,web",
        "TRIPTYCH_WEB_DATA_DIR": str(web.data_dir),
        "TRIPTYCH_WEB_PORT": str(port),
        "TRIPTYCH_WEB_SIGN_IN_SECONDS": str(web.sign_in_seconds),
    }
    service = stack.enter_context(
        running("service", ["serve", "--json"], environment=settings, log_file=folder / "service.log")
    )
    api = service.ready["api"]
    with Triptych(api) as client:
        client.grant_credits(user_id, CREDITS, grant_id=f"up-{user_id}", note="demo")
    url = service.ready["web"]
    links = SignInLinks(secret_of(web), web.data_dir, web.sign_in_seconds)
    return Up(api=api, web=url, link=f"{url}/sign-in/{links.issue(user_id)}")


def bring_up_bot(stack: ExitStack, folder: Path, up: Up) -> Up:
    """Starts the Telegram bot before a service that runs. Raises StartFailed, TriptychError."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("TRIPTYCH_TELEGRAM_")}
    chat = ""
    if "TRIPTYCH_TELEGRAM_TOKEN" not in settings:
        telegram = running("sandbox.telegram", ["--json"], environment={}, log_file=folder / "bot-api.log")
        ready = stack.enter_context(telegram).ready
        chat = f"{ready['SANDBOX_TELEGRAM_CONTROL_URL']}/chats/1"
        with Triptych(up.api) as client:
            client.grant_credits("telegram-1", CREDITS, grant_id="up-telegram-1", note="demo")
        settings |= {name: value for name, value in ready.items() if name.startswith("TRIPTYCH_TELEGRAM_")}
    environment = {
        "TRIPTYCH_SERVER": up.api,
        "TRIPTYCH_TELEGRAM_DATA_DIR": str(folder / "telegram"),
        **settings,
    }
    log_file = folder / "telegram.log"
    bot = stack.enter_context(running("clients.telegram", ["--json"], environment=environment, log_file=log_file))
    return replace(up, bot=bot.ready["bot"], chat=chat)


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo.up", description=__doc__)
    parser.add_argument("--folder", type=Path, default=user_data_path("triptych") / "up", help="where data is kept")
    parser.add_argument("--user", default="demo", help="whom the link signs in")
    parser.add_argument("--port", type=int, default=8080, help="of the web gallery; 0 takes a free one")
    parser.add_argument("--speed", default="1", help="of the sandbox: 3 is three times as fast")
    parser.add_argument("--telegram", action="store_true", help="run the Telegram bot, too")
    parser.add_argument("--json", action="store_true", help="print the addresses as JSON")
    given = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        with ExitStack() as stack:
            if not given.json:
                sys.stdout.write("Starting the sandbox, the service with its database, and the web gallery ...\n")
                sys.stdout.flush()
            up = bring_up(stack, given.folder, given.user, given.port, given.speed)
            if given.telegram:
                up = bring_up_bot(stack, given.folder, up)
            _tell(up, as_json=given.json)
            stop.wait()
    except (StartFailed, TriptychError, OSError) as error:
        sys.stderr.write(f"It did not start: {error}\n")
        return 1
    return 0


def _tell(up: Up, *, as_json: bool) -> None:
    told = json.dumps({"api": up.api, "url": up.web, "link": up.link, "bot": up.bot, "chat": up.chat})
    if not as_json:
        told = (
            f"Open this in a browser:\n\n  {up.link}\n\n"
            f"It works once; afterwards {up.web} knows you. gRPC is on {up.api}. Ctrl-C stops everything."
        )
    if up.chat and not as_json:
        told += f"\nA chat with the Telegram bot is at {up.chat}"
    elif up.bot and not as_json:
        told += (
            f"\nThe Telegram bot is t.me/{up.bot}. Give people credits by their number in Telegram:\n\n"
            f"  .venv/bin/triptych credits grant 100 --server {up.api} --user telegram-NUMBER"
        )
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
