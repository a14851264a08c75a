"""Reaching the databases from a command, also while a service holds the data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.adapters.embedded import running_conninfo
from service.bootstrap import Databases, open_databases
from service.config import Settings


@asynccontextmanager
async def reach_databases(settings: Settings) -> AsyncIterator[Databases]:
    """Those that are configured, the embedded one that already runs, or else the embedded one, started for now."""
    conninfo = None if settings.event_store else running_conninfo(settings.data_dir)
    if conninfo is not None:
        yield Databases(conninfo, settings.read_models or conninfo, embedded=True)
        return
    async with open_databases(settings) as databases:
        yield databases
