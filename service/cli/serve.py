"""``triptychd serve``: the service until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import AsyncExitStack

from rich.console import Console

from service.cli.garbage import set_collector_for_serving
from service.cli.processes import Up, everything
from service.config import Settings
from service.config.conninfo import names_kurrentdb


async def serve(settings: Settings, *, as_json: bool, until_stdin_ends: bool = False) -> None:
    """Serves until SIGTERM or SIGINT, then stops gracefully; one that comes while it starts ends the start.

    ``until_stdin_ends`` is for children: standard input, a pipe from the parent, ends when the parent does.

    The same signal a second time is not caught any more: whoever is in a hurry loses nothing, the log is the truth.
    Raises what ``everything`` raises, BackgroundFailed, ChildFailed.
    """
    stopping = asyncio.create_task(_told_to_stop(until_stdin_ends))
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(stack.enter_async_context(everything(settings)))
        if not await _before(stopping, starting):
            sys.stderr.write("Stopped before it was up.\n")
            return
        up = starting.result()
        set_collector_for_serving()
        _say_ready(settings, up, as_json=as_json)
        failing = asyncio.create_task(up.wait())
        if await _before(stopping, failing):
            failing.result()


async def _told_to_stop(until_stdin_ends: bool) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell, number)

    def look() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            loop.remove_reader(sys.stdin.fileno())
            told.set()

    if until_stdin_ends:
        loop.add_reader(sys.stdin.fileno(), look)
    await told.wait()


async def _before(stopping: asyncio.Task[None], work: asyncio.Task[object]) -> bool:
    """Whether ``work`` ended first; otherwise it is cancelled. Also when this is cancelled itself."""
    try:
        await asyncio.wait([stopping, work], return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not work.done():
            work.cancel()
            await asyncio.wait([work])
    return not work.cancelled()


def _say_ready(settings: Settings, up: Up, *, as_json: bool) -> None:
    if as_json:
        ready = {
            "api": up.api_address,
            "webhook": up.webhook_address,
            "web": up.web_url,
            "health": up.health_address,
            "roles": sorted(settings.roles),
            "processes": settings.processes,
            "data_dir": str(settings.data_dir),
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Triptych is up: {', '.join(sorted(settings.roles))}.")
    if up.api_address:
        who = "callers with a token" if settings.api_tokens.get_secret_value() else "anyone on this machine"
        several = f"; {settings.processes} processes" if settings.processes > 1 else ""
        console.print(f"  gRPC      {up.api_address}, for {who}{several}")
    if up.webhook_address:
        console.print(f"  webhooks  {up.webhook_address}, known to fal as {settings.webhook_public_url}")
    if up.web_url:
        console.print(f"  web       {up.web_url}; 'triptych web-link USER' makes a link to sign in with")
    if up.health_address:
        console.print(f"  health    {up.health_address}")
    if up.databases is not None:
        where = "embedded PostgreSQL in" if up.databases.embedded else "PostgreSQL as configured; files in"
        if names_kurrentdb(up.databases.events):
            where = f"KurrentDB as configured; read models: {where}"
        console.print(f"  data      {where} {settings.data_dir}")
    console.print("Stop it with Ctrl-C.")
