"""Runs an import: opens what it reads from and writes to, shows how far it is, and keeps what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import tzinfo
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.adapters.clock import SystemClock
from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.media import HttpMediaCollector
from service.adapters.media.local_files import locate
from service.adapters.older_gallery import OlderGallery, open_csv, open_table
from service.application.execute import Executor
from service.application.imports import Collect, Importer, Told, Totals
from service.application.imports_rows import Reading, SourceBroken
from service.bootstrap.checks import load_catalog
from service.bootstrap.media import open_collector
from service.bootstrap.stores import open_event_store
from service.cli.access import database_exists, reach_databases
from service.cli.problems import stderr
from service.config import Settings
from service.domain.errors import InvalidField
from service.ports.event_store import EventStore, EventStoreUnavailable
from service.ports.media_store import CollectedOutput, MediaRejected, MediaUnavailable

MOST_TOLD = 20
"""Of what is found about rows; a report has all of it."""
_POSTGRESQL = ("postgresql://", "postgres://")
_WEB = ("http://", "https://")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of the command say."""

    source: str
    table: str
    chosen_columns: Mapping[str, str]
    media_root: Path | None
    default_type: str
    user_template: str
    zone: tzinfo
    encoding: str
    dry_run: bool
    report: Path | None
    quiet: bool


class Done(msgspec.Struct, kw_only=True):
    """What came of it."""

    dry_run: bool
    totals: Totals
    told: list[Told] = []
    """The first of what is to be known about rows."""
    stopped: str = ""
    """Why it did not get to the end; empty when it did."""

    @property
    def complete(self) -> bool:
        return not self.stopped and not self.totals.unread


async def bring_in(settings: Settings, wanted: Wanted) -> Done:
    """Raises InvalidField for options that cannot be right; what happens once it has begun is told in the result."""
    catalog = load_catalog(settings)
    if wanted.default_type not in catalog.types:
        raise InvalidField("type", f"{wanted.default_type!r} is not one of {', '.join(catalog.types)}")
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(_open_source(wanted))
        store = await stack.enter_async_context(_open_store(settings, dry_run=wanted.dry_run))
        collector = await stack.enter_async_context(open_collector(settings, keep=not wanted.dry_run))
        report = stack.enter_context(wanted.report.open("wb") if wanted.report else nullcontext())
        executor = None if wanted.dry_run else Executor(store)
        importer = Importer(store, executor, catalog, SystemClock(), _collecting(collector, wanted.media_root))
        done = Done(dry_run=wanted.dry_run, totals=importer.totals)

        def tell(told: Told) -> None:
            if len(done.told) < MOST_TOLD:
                done.told.append(told)
            if report is not None:
                report.write(msgspec.json.encode(told) + b"\n")

        try:
            await _run(importer, old, wanted, tell)
        except (SourceBroken, EventStoreUnavailable) as error:
            done.stopped = str(error)
        except asyncio.CancelledError:
            # Ctrl-C. What was done is told like anything else, so it must not go on as a cancellation.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            done.stopped = "it was interrupted"
        return done


async def _run(importer: Importer, old: OlderGallery, wanted: Wanted, tell: Callable[[Told], None]) -> None:
    reading = Reading(
        columns=old.columns, default_type=wanted.default_type, user_template=wanted.user_template, zone=wanted.zone
    )
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    hidden = wanted.quiet or not stderr.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=stderr, disable=hidden, transient=True) as progress:
        task = progress.add_task("", total=old.total, rate="")
        async for totals in importer.run(old.rows, reading, tell):
            rate = f"{progress.tasks[0].speed or 0.0:,.0f} rows a second"
            total = None if old.total is None else max(old.total, totals.rows)
            progress.update(task, completed=totals.rows, total=total, rate=rate)


def _open_source(wanted: Wanted) -> AbstractAsyncContextManager[OlderGallery]:
    if wanted.source.startswith(_POSTGRESQL):
        return open_table(wanted.source, wanted.table, wanted.chosen_columns)
    if "://" in wanted.source:
        raise InvalidField("from", "must be postgresql://... or the path of a CSV file")
    return open_csv(Path(wanted.source), wanted.chosen_columns, encoding=wanted.encoding)


@asynccontextmanager
async def _open_store(settings: Settings, *, dry_run: bool) -> AsyncIterator[EventStore]:
    """The event log; for a dry run before the first start, which must not make one, an empty one in memory."""
    if dry_run and not database_exists(settings):
        yield MemoryEventStore()
        return
    async with reach_databases(settings) as databases, open_event_store(databases.events) as store:
        yield store


def _collecting(collector: HttpMediaCollector, media_root: Path | None) -> Collect:
    async def fetch(media: str, generation_id: str) -> CollectedOutput:
        if media.lower().startswith(_WEB):
            return await collector.collect(media, generation_id=generation_id, index=0)
        if media_root is None:
            raise MediaUnavailable("it is a path; say with --media-root below which folder")
        path = await asyncio.to_thread(locate, media_root, media)
        return await collector.collect_file(path, generation_id=generation_id, index=0)

    async def collect(media: str, generation_id: str) -> CollectedOutput:
        try:
            return await fetch(media, generation_id)
        except (MediaRejected, MediaUnavailable) as error:
            raise type(error)(f"{_name(media)}: {error}") from error

    return collect


def _name(media: str) -> str:
    """A file's name without what may be a key to it."""
    if not media.lower().startswith(_WEB):
        return media
    parts = urlsplit(media)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
