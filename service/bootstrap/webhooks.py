"""The role webhook, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.bootstrap.background import Background
from service.bootstrap.core import Shared
from service.config import Settings


def webhook_urls(settings: Settings, secret: str) -> Callable[[str], str]:
    """From a generation's id to the address the vendor reports to; empty where no webhooks are wanted."""
    return lambda generation_id: ""


@asynccontextmanager
async def open_webhook(settings: Settings, shared: Shared, background: Background, secret: str) -> AsyncIterator[str]:
    """The endpoint while it listens; gives its ``host:port``."""
    yield ""
