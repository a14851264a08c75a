"""``triptychd seed``: a believable history to try things out on."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.application.seeding import seeded_history
from service.bootstrap.checks import load_catalog
from service.bootstrap.stores import open_event_store, open_history_import
from service.cli.access import reach_databases
from service.cli.logs import set_up_logs
from service.cli.problems import refuse, stderr, told_plainly
from service.config import Settings, load_settings
from service.ports.history_import import HistoryRefused

MOST_EVENTS = 100_000_000


class Seeded(NamedTuple):
    events: int
    position: int
    seconds: float


def seed(
    events: Annotated[int, typer.Option(min=1, max=MOST_EVENTS, help="About how many events.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Another number, another history.")] = 1,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day (UTC) at whose beginning it ends. Default: today."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also where the log has events already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Fill the log with a believable history: weeks of use, all types, failures, refunds.

    For trying out reports, rebuilds and time travel. The pictures' files are not made. All of it is written, or
    nothing; but KurrentDB keeps what was written before it was broken off, and the same command with --force goes on.
    A log that has events is left alone unless you say --force; what would be older than its last event is then
    recorded at the time of that one, because times never go back in a log.

    Example: triptychd seed --events 1000000 --seed 7
    """
    with told_plainly():
        settings = load_settings()
        set_up_logs(settings)
        end = (until or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)).replace(tzinfo=UTC)
        if end > datetime.now(UTC):
            refuse("--until: is in the future; a history ends today or before")
        try:
            done = asyncio.run(_seed(settings, events, seed, end, force=force, quiet=as_json))
        except HistoryRefused as error:
            refuse(f"{error}; choose another --seed")
    if as_json:
        sys.stdout.write(json.dumps(done._asdict()) + "\n")
        return
    rate = done.events / max(done.seconds, 0.001)
    told = f"Wrote {done.events:,} events in {done.seconds:.0f} s ({rate:,.0f} a second); the log ends at"
    stderr.print(f"{told} {done.position}. Read models follow as soon as a projector runs.", soft_wrap=True)


async def _seed(settings: Settings, events: int, seed: int, end: datetime, *, force: bool, quiet: bool) -> Seeded:
    catalog = load_catalog(settings)
    loop = asyncio.get_running_loop()
    async with reach_databases(settings) as databases:
        not_before = await _last_time(databases.events, force=force)
        begun, count = loop.time(), 0
        columns = (TextColumn("Writing history"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=stderr, disable=quiet or not stderr.is_terminal, transient=True) as progress:
            task = progress.add_task("", total=events)
            async with open_history_import(databases.events) as importing:
                for batch in seeded_history(catalog, seed=seed, events=events, end=end):
                    if not_before is not None:
                        batch = [each._replace(recorded_at=max(each.recorded_at, not_before)) for each in batch]
                    await importing.write(batch)
                    count += len(batch)
                    progress.update(task, completed=count, total=max(events, count))
        return Seeded(count, importing.position, loop.time() - begun)


async def _last_time(conninfo: str, *, force: bool) -> datetime | None:
    """When the log's last event was recorded; None for an empty log."""
    async with open_event_store(conninfo) as store:
        head = await store.head()
        if head == 0:
            return None
        if not force:
            refuse(f"the log has events already, up to position {head}; add to it with --force, or use another one")
        async for batch in store.read_all(after=head - 1):
            return batch[-1].recorded_at
    return None
