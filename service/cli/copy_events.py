"""``triptychd copy-events``: a history moves from one event store to another."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from service.application.copying import Copied, LogsDiffer, Progress, copy
from service.bootstrap.stores import open_event_store, open_history_import
from service.cli.access import reach_databases
from service.cli.logs import set_up_logs
from service.cli.problems import refuse, stderr, told_plainly
from service.config import load_settings
from service.config.conninfo import check_event_store
from service.ports.event_store import UnreadableEvent
from service.ports.history_import import HistoryRefused

_STORE = "kurrentdb://..., postgresql://..., or a data folder with an embedded PostgreSQL"


def copy_events(
    source: Annotated[str, typer.Option("--from", help=f"Event store to read: {_STORE}.")],
    target: Annotated[str, typer.Option("--to", help=f"Event store to write: {_STORE}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Copy a history to another event store: every event, in order, with its id, time and metadata.

    The target must be empty, or hold the beginning of the source: run it again to go on after an interruption, or to
    bring over what has come since. In the end both are read again and compared, event by event.

    Read models know positions of one log only: before the service uses the copy, 'triptychd projections reset'. Stop
    the service for the last run, so that nothing is left behind.

    Example: triptychd copy-events --from ./data --to "kurrentdb://localhost:2113?tls=false"
    """
    with told_plainly():
        set_up_logs(load_settings())
        try:
            done = asyncio.run(_copy(source, target, quiet=as_json))
        except LogsDiffer as error:
            refuse(f"{error}; the target must be empty or hold the beginning of the source")
        except UnreadableEvent as error:
            refuse(f"{error}; it can only be copied by a program that reads it")
        except HistoryRefused as error:
            refuse(str(error))
    if as_json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(done)) + "\n")
        return
    stderr.print(
        f"Copied {done.copied:,} events; both logs have {done.events:,} and are the same (sha256 {done.digest}).",
        soft_wrap=True,
    )


async def _copy(source: str, target: str, *, quiet: bool) -> Copied:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    async with (
        _reached("--from", source, must_exist=True) as read_from,
        _reached("--to", target, must_exist=False) as written_to,
        open_event_store(read_from) as reading,
        open_event_store(written_to) as comparing,
    ):
        total = await reading.head()
        with ProgressBar(*columns, console=stderr, disable=quiet or not stderr.is_terminal, transient=True) as bar:

            def stage(name: str) -> Progress:
                task = bar.add_task(name, total=total)
                return lambda position: bar.update(task, completed=position)

            return await copy(reading, comparing, lambda: open_history_import(written_to), progress=stage)


@asynccontextmanager
async def _reached(option: str, value: str, *, must_exist: bool) -> AsyncIterator[str]:
    """The connection string of a store; the one in a data folder is started for now if it is not up."""
    if "://" in value or "dbname=" in value:
        try:
            check_event_store(value)
        except ValueError as error:
            refuse(f"{option}: {error}")
        yield value
        return
    if must_exist and not (Path(value) / "postgres").is_dir():
        refuse(f"{option}: {value} is no data folder with an embedded PostgreSQL; say {_STORE}")
    async with reach_databases(load_settings(data_dir=value, event_store="")) as databases:
        yield databases.events
