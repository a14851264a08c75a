"""``python -m tests.soak``: see ``--help``."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.soak.load import Notes
from tests.soak.run import Plan, Summary, run


def main(
    minutes: Annotated[float, typer.Option(min=0.1, max=120, help="How long to go on killing.")] = 10.0,
    seed: Annotated[int | None, typer.Option(help="What to kill when; default a new one.")] = None,
    clients: Annotated[int, typer.Option(min=1, max=100, help="How many clients ask at once.")] = 6,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many worker processes.")] = 2,
    apis: Annotated[int, typer.Option(min=0, max=16, help="How many processes have the API alone.")] = 0,
    projectors: Annotated[
        int, typer.Option(min=0, max=16, help="How many are projectors alone, hot spares too.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Kills workers, API and PostgreSQL under load, and checks that nothing is lost and nothing charged twice.

    Afterwards everything has at most four minutes to end. Exit code 1 if anything is wrong.
    """
    plan = Plan(
        seed=secrets.randbelow(2**31) if seed is None else seed,
        seconds=minutes * 60,
        clients=clients,
        users=max(1, clients // 2),
        workers=workers,
        apis=apis,
        projectors=projectors,
        watched=True,
    )
    summary = asyncio.run(_run(plan))
    if as_json:
        sys.stdout.write(json.dumps(summary.as_dict(), indent=2) + "\n")
    else:
        _show(summary)
    sys.exit(1 if summary.findings else 0)


async def _run(plan: Plan) -> Summary:
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"seed {plan.seed}: starting", total=plan.seconds)
        began_at = time.monotonic()

        def show(what: str, notes: Notes) -> None:
            asked = len(notes.acknowledged)
            description = f"seed {plan.seed}: {asked:,} generations asked for; {what}"
            progress.update(task, completed=time.monotonic() - began_at, description=description)

        return await run(plan, show)


def _show(summary: Summary) -> None:
    console = Console(highlight=False)
    blows = ", ".join(f"{name} {count}" for name, count in summary.blows.items())
    ends = ", ".join(f"{count:,} {name}" for name, count in summary.ends.items())
    console.print(f"Seed {summary.seed}, {summary.seconds:,.0f} s.")
    console.print(f"  {summary.kills:,} kills ({blows})")
    console.print(f"  {summary.generations:,} generations: {ends}")
    reasons = ", ".join(f"{count:,} {name}" for name, count in summary.failures.items())
    console.print(f"  reasons of failures: {reasons or 'none'}")
    console.print(f"  {summary.items:,} items, {summary.vendor_jobs:,} jobs at the vendor, {summary.events:,} events")
    console.print(
        f"  {summary.credits_debited:,} credits taken, {summary.credits_refunded:,} given back, "
        f"{summary.credits_lost:,} lost"
    )
    for name, count in sorted(summary.clients.items()):
        console.print(f"  {name}: {count:,}")
    for finding in summary.findings:
        console.print(f"[red]wrong:[/red] {finding}", soft_wrap=True)
    if not summary.findings:
        console.print("[green]Everything fits.[/green]")


if __name__ == "__main__":
    typer.run(main)
