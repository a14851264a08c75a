"""Reaching the databases from a command, also while a service holds the data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.adapters.embedded import running_conninfo
from service.bootstrap import Databases, open_databases
from service.bootstrap.databases import configured_databases, databases_with
from service.config import Settings


@asynccontextmanager
async def reach_databases(settings: Settings) -> AsyncIterator[Databases]:
    """Those that are configured, the embedded one that already runs, or else the embedded one, started for now."""
    wants_embedded = configured_databases(settings) is None
    conninfo = running_conninfo(settings.data_dir) if wants_embedded else None
    if conninfo is not None:
        yield databases_with(settings, conninfo)
        return
    async with open_databases(settings) as databases:
        yield databases


def database_exists(settings: Settings) -> bool:
    """Whether there is a database, or ``reach_databases`` would have to make the embedded one."""
    return configured_databases(settings) is not None or (settings.data_dir / "postgres").exists()
