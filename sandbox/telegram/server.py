"""Starts and stops a Bot API server with its control API, in the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sandbox.background import Background
from sandbox.listener import Listener
from sandbox.telegram.app import telegram_app
from sandbox.telegram.control_app import telegram_control_app
from sandbox.telegram.methods import METHOD_NAMES
from sandbox.telegram.options import TelegramOptions
from sandbox.telegram.world import Telegram

_THREADS = 2


@dataclass(frozen=True)
class TelegramServer:
    """A running server.

    Attributes:
        api_url: what stands in place of ``https://api.telegram.org``.
        token: the one that it accepts.
        control_url: of the control API.
    """

    api_url: str
    token: str
    control_url: str


@asynccontextmanager
async def running_telegram(options: TelegramOptions | None = None) -> AsyncIterator[TelegramServer]:
    """A Bot API server that serves inside the block.

    Raises:
        PortTaken: a port that the options name is in use.
    """
    options = options or TelegramOptions()
    async with AsyncExitStack() as stack:
        api = Listener(options.host, options.port)
        stack.callback(api.release)
        control = Listener(options.host, options.control_port)
        stack.callback(control.release)
        executor = stack.enter_context(ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox-telegram"))
        background = Background()
        stack.push_async_callback(background.close)
        telegram = Telegram(options, executor, background, METHOD_NAMES)
        stack.push_async_callback(_stop_all, [api, control])
        await api.start(telegram_app(telegram, api))
        await control.start(telegram_control_app(telegram, api))
        # Calls that wait end first, so that the servers can stop at once.
        stack.callback(telegram.close)
        yield TelegramServer(api_url=api.base_url, token=options.token, control_url=control.base_url)


async def _stop_all(listeners: list[Listener]) -> None:
    await asyncio.gather(*(listener.stop() for listener in listeners))
