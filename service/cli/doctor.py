"""``triptychd doctor``: is everything as the log says?"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.markup import escape

from service.adapters.postgres.log_anchor import OtherLog, check_anchor
from service.adapters.postgres.pool import connect, make_pool
from service.application.audit import Audit
from service.bootstrap import Databases
from service.bootstrap.checks import load_catalog
from service.bootstrap.databases import prepare_read_models
from service.bootstrap.stores import describe_event_store, has_gaps, open_event_store
from service.cli.access import reach_databases
from service.cli.comparison import compare_accounts, compare_generations
from service.cli.recount import recount
from service.config import Settings
from service.ports.event_store import EventStore
from service.ports.projections import ProjectionStatus
from service.projections import operations

CATCH_UP_SECONDS = 10.0
MOST_SHOWN = 50


class Report(msgspec.Struct, kw_only=True):
    """What was found. ``findings`` and ``differences`` are plain sentences; healthy means there are none."""

    event_store: str = ""
    """What it is, with its version."""
    events: int = 0
    position: int = 0
    accounts: int = 0
    generations: int = 0
    ended: int = 0
    findings: list[str] = []
    differences: list[str] = []
    projections: list[ProjectionStatus] = []

    @property
    def healthy(self) -> bool:
        return not self.findings and not self.differences


async def examine(settings: Settings, *, as_json: bool) -> bool:
    """Examines everything and prints the report; True when all is well."""
    load_catalog(settings)
    async with reach_databases(settings) as databases:
        report = await _examine(databases, quiet=as_json)
    if as_json:
        sys.stdout.write(json.dumps({"healthy": report.healthy, **msgspec.to_builtins(report)}) + "\n")
    else:
        _show(report)
    return report.healthy


async def _examine(databases: Databases, *, quiet: bool) -> Report:
    report = Report()
    audit = Audit()
    async with (
        open_event_store(databases.events) as store,
        make_pool(databases.read_models, application_name="triptych-doctor", max_size=2) as pool,
    ):
        report.event_store = await describe_event_store(databases.events)
        await prepare_read_models(databases.read_models)
        other_log = await _other_log(pool, store)
        gapless = not has_gaps(databases.events)
        report.events, damage = await recount(store, audit, gapless=gapless, quiet=quiet)
        report.findings = damage + [finding.message for finding in audit.finish(now=datetime.now(UTC))]
        report.position = audit.position
        report.accounts, report.generations = len(audit.accounts), len(audit.generations)
        report.ended = sum(1 for generation in audit.generations.values() if generation.end)
        report.projections = list(await _caught_up(pool, audit.position))
        report.differences = other_log + [
            _complaint(each, audit.position) for each in report.projections if _lags(each, audit)
        ]
        if not report.differences:
            async with await connect(databases.read_models, application_name="triptych-doctor") as connection:
                report.differences += [each async for each in compare_accounts(connection, audit)]
                report.differences += [each async for each in compare_generations(connection, audit)]
    return report


async def _other_log(pool: operations.Pool, store: EventStore) -> list[str]:
    try:
        async with pool.connection() as connection:
            await check_anchor(connection, store)
    except OtherLog as error:
        return [str(error)]
    return []


async def _caught_up(pool: operations.Pool, position: int) -> list[ProjectionStatus]:
    """How the serving projections stand; gives them a moment to reach ``position``."""
    deadline = asyncio.get_running_loop().time() + CATCH_UP_SECONDS
    while True:
        statuses = [each for each in await operations.statuses(pool, head=position) if each.serving]
        behind = any(each.position < position and each.state == "live" for each in statuses)
        if not behind or asyncio.get_running_loop().time() >= deadline:
            return statuses
        await asyncio.sleep(0.2)


def _lags(status: ProjectionStatus, audit: Audit) -> bool:
    return status.state == "stopped" or status.position < audit.position


def _complaint(status: ProjectionStatus, position: int) -> str:
    if status.state == "stopped":
        return f"the projection {status.name} has stopped: {status.error}"
    return (
        f"the projection {status.name} is at {status.position}, the log at {position}: is a process with the role "
        "projector running?"
    )


def _show(report: Report) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"The event store is {report.event_store}.")
    console.print(
        f"The log has {report.events:,} events up to position {report.position:,}: {report.accounts:,} accounts, "
        f"{report.generations:,} generations, {report.ended:,} of them ended."
    )
    for status in report.projections:
        console.print(f"  projection {status.name} v{status.version}: {status.state}, {status.lag} behind")
    for title, sentences in (("In the log", report.findings), ("In the read models", report.differences)):
        for sentence in sentences[:MOST_SHOWN]:
            console.print(f"[red]{title}:[/red] {escape(sentence)}")
        if len(sentences) > MOST_SHOWN:
            console.print(f"[red]{title}:[/red] and {len(sentences) - MOST_SHOWN:,} more; --json shows all")
    if report.healthy:
        console.print("[green]All is well:[/green] every credit is accounted for, and the read models agree.")
