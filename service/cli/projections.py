"""``triptychd projections``: look at read models, rebuild one, step over a poison event."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from contextlib import AsyncExitStack
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from service.adapters.postgres.log_anchor import check_anchor
from service.adapters.postgres.pool import connect, make_pool
from service.adapters.postgres.read_notifier import ReadNotifier
from service.adapters.postgres.reset import InUse, drop_read_models
from service.bootstrap.background import Background
from service.bootstrap.core import projection_host
from service.bootstrap.databases import migrate_databases
from service.bootstrap.stores import open_event_store
from service.cli.access import reach_databases
from service.cli.logs import set_up_logs
from service.cli.problems import refuse, stderr, told_plainly
from service.config import Settings, load_settings
from service.ports.event_store import EventStore
from service.ports.projections import ProjectionStatus
from service.projections import operations
from service.projections.projection import BuildGone, NotStoppedThere

app = typer.Typer(no_args_is_help=True, help="Look at the read models, rebuild one, step over a poison event.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def _settings() -> Settings:
    settings = load_settings()
    set_up_logs(settings)
    return settings


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show name, version, position, lag and state of every projection."""
    with told_plainly():
        statuses = asyncio.run(_statuses(_settings()))
    if as_json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(statuses)) + "\n")
        return
    table = Table("projection", "version", "build", "position", "behind", "state", "error")
    for each in statuses:
        state = f"{each.state}, serving" if each.serving else each.state
        table.add_row(
            each.name, str(each.version), str(each.build), str(each.position), str(each.lag), state, each.error
        )
    Console(highlight=False).print(table)


async def _statuses(settings: Settings) -> list[ProjectionStatus]:
    async with (
        reach_databases(settings) as databases,
        open_event_store(databases.events) as store,
        make_pool(databases.read_models, application_name="triptych-projections") as pool,
    ):
        return list(await operations.statuses(pool, head=await store.head()))


@app.command()
def rebuild(name: Annotated[str, typer.Argument(help="Name of the projection, as 'list' shows it.")]) -> None:
    """Build a read model anew beside the one that serves, and switch when it has caught up.

    Readers never see less than before. A running projector does the work, or this command where there is none;
    interrupted, the next projector goes on with it.
    """
    with told_plainly():
        asyncio.run(_rebuild(_settings(), name))


async def _rebuild(settings: Settings, name: str) -> None:
    async with AsyncExitStack() as stack:
        databases = await stack.enter_async_context(reach_databases(settings))
        store = await stack.enter_async_context(open_event_store(databases.events))
        pool = await stack.enter_async_context(
            make_pool(databases.read_models, application_name="triptych-projections")
        )
        background = await stack.enter_async_context(Background())
        async with pool.connection() as connection:
            await check_anchor(connection, store)
        try:
            build = await operations.rebuild(pool, name)
        except KeyError as error:
            refuse(str(error.args[0]))
        notifier = ReadNotifier(databases.read_models)
        background.start("read-notifier", notifier.run())
        background.start("projections", projection_host(store, databases, notifier).run())
        await _show_building(store, pool, name, build)
    stderr.print(f"{name} is rebuilt and serves.")


async def _show_building(store: EventStore, pool: operations.Pool, name: str, build: int) -> None:
    columns = (TextColumn("Building {task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=stderr) as progress:
        task = progress.add_task(f"{name} (build {build})", total=max(await store.head(), 1))
        try:
            async for found in operations.follow_build(pool, name, build):
                progress.update(task, completed=found.position, total=max(await store.head(), 1))
        except BuildGone as error:
            refuse(str(error))
    if found.state == "stopped":
        refuse(f"build {build} has stopped at an event; 'triptychd projections list' says which and why")


@app.command()
def skip(
    name: Annotated[str, typer.Argument(help="Name of the projection that has stopped.")],
    position: Annotated[int, typer.Argument(help="Position of the event at which it stopped.")],
    reason: Annotated[str, typer.Option(help="Why; kept for good.")],
    actor: Annotated[str, typer.Option(help="Who decides this; kept for good.")] = "",
) -> None:
    """Step over the event at which a projection stopped. What it meant is then missing from that read model.

    Example: triptychd projections skip gallery 4711 --reason "broken by hand, see ticket 12"
    """
    with told_plainly():
        asyncio.run(_skip(_settings(), name, position, reason, actor or getpass.getuser()))


async def _skip(settings: Settings, name: str, position: int, reason: str, actor: str) -> None:
    async with (
        reach_databases(settings) as databases,
        make_pool(databases.read_models, application_name="triptych-projections") as pool,
    ):
        try:
            await operations.skip(pool, name, position, actor=actor, reason=reason)
        except NotStoppedThere as error:
            refuse(str(error))
    stderr.print(f"{name} goes on after {position}.")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Drop all read models; the next projector builds them anew from the event store that is configured.

    For a service that was pointed at another event store, such as a copy of its log in KurrentDB. The log is not
    touched. Until they are built again, readers see less than there is.
    """
    with told_plainly():
        settings = _settings()
        if not yes and not typer.confirm("Drop all read models and build them anew?"):
            raise typer.Exit(1)
        asyncio.run(_reset(settings))
    stderr.print("The read models are dropped; the next projector builds them anew.")


async def _reset(settings: Settings) -> None:
    async with reach_databases(settings) as databases:
        try:
            async with await connect(databases.read_models, application_name="triptych-reset") as connection:
                await drop_read_models(connection)
        except InUse as error:
            refuse(str(error))
        await migrate_databases(databases)
