"""``triptychd serve``: the service until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack

from rich.console import Console

from service.bootstrap import System, running
from service.config import Settings


async def serve(settings: Settings, *, as_json: bool) -> None:
    """Serves until SIGTERM or SIGINT, then stops gracefully; one that comes while it starts ends the start.

    The same signal a second time is not caught any more: whoever is in a hurry loses nothing, the log is the truth.
    Raises what ``running`` raises, BackgroundFailed.
    """
    stopping = asyncio.create_task(_told_to_stop())
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(stack.enter_async_context(running(settings)))
        if not await _before(stopping, starting):
            sys.stderr.write("Stopped before it was up.\n")
            return
        system = starting.result()
        _say_ready(system, as_json=as_json)
        failing = asyncio.create_task(system.wait())
        if await _before(stopping, failing):
            failing.result()


async def _told_to_stop() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell, number)
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


def _say_ready(system: System, *, as_json: bool) -> None:
    settings = system.settings
    if as_json:
        ready = {
            "api": system.api_address,
            "webhook": system.webhook_address,
            "health": system.health_address,
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
    if system.health_address:
        console.print(f"  health    {system.health_address}")
    where = "embedded PostgreSQL in" if system.databases.embedded else "PostgreSQL as configured; files in"
    console.print(f"  data      {where} {settings.data_dir}")
    console.print("Stop it with Ctrl-C.")
