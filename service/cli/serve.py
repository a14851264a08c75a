"""``triptychd serve``: the service until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys

from rich.console import Console

from service.bootstrap import System, running
from service.config import Settings


async def serve(settings: Settings, *, as_json: bool) -> None:
    """Serves until SIGTERM or SIGINT, then stops gracefully. Raises what ``running`` raises, BackgroundFailed."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as system:
        _say_ready(system, as_json=as_json)
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(system.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting[1].done():
                waiting[1].result()
        finally:
            for task in waiting:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*waiting, return_exceptions=True)


def _say_ready(system: System, *, as_json: bool) -> None:
    settings = system.settings
    if as_json:
        ready = {
            "api": system.api_address,
            "webhook": system.webhook_address,
            "roles": sorted(settings.roles),
            "data_dir": str(settings.data_dir),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Triptych is up: {', '.join(sorted(settings.roles))}.")
    if system.api_address:
        who = "callers with a token" if settings.api_tokens.get_secret_value() else "anyone on this machine"
        console.print(f"  gRPC      {system.api_address}, for {who}")
    if system.webhook_address:
        console.print(f"  webhooks  {system.webhook_address}, known to fal as {settings.webhook_public_url}")
    where = "embedded PostgreSQL in" if system.databases.embedded else "PostgreSQL as configured; files in"
    console.print(f"  data      {where} {settings.data_dir}")
    console.print("Stop it with Ctrl-C.")
