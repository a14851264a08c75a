"""Many seeds on several processor cores, with progress; and one seed, told."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.mutations import MUTATIONS
from tests.simulation.world import Report, run_seed

CHUNK_SEEDS = 25
MAX_SHOWN = 20
"""Failures after which a run stops: by then there is enough to look at."""


@dataclass
class Summary:
    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[int, list[str]] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        self.seeds += 1
        self.counts.update(report.counts)
        if report.problems:
            self.failures[report.seed] = report.problems


def _run_chunk(seeds: Sequence[int]) -> list[Report]:
    return [run_seed(seed) for seed in seeds]


def _chunks(start: int, count: int) -> Iterator[range]:
    for first in range(start, start + count, CHUNK_SEEDS):
        yield range(first, min(first + CHUNK_SEEDS, start + count))


def run_many(start: int, count: int, jobs: int, console: Console) -> Summary:
    """Runs ``count`` seeds from ``start``; stops early after many failures."""
    summary = Summary()
    columns = (
        TextColumn("simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failures]} failed"),
        TimeRemainingColumn(),
    )
    context = multiprocessing.get_context("spawn")
    with Progress(*columns, console=console) as progress, ProcessPoolExecutor(jobs, mp_context=context) as pool:
        bar = progress.add_task("", total=count, failures=0)
        futures: list[Future[list[Report]]] = [pool.submit(_run_chunk, chunk) for chunk in _chunks(start, count)]
        for future in as_completed(futures):
            for report in future.result():
                summary.add(report)
            progress.update(bar, completed=summary.seeds, failures=len(summary.failures))
            if len(summary.failures) >= MAX_SHOWN:
                pool.shutdown(cancel_futures=True)
                break
    return summary


def tell_summary(summary: Summary, seconds: float, console: Console) -> None:
    counts = summary.counts
    lost_answers = sum(
        number for kind, number in counts.items() if kind in ("submit_lost_before", "submit_lost_after")
    )
    lost_appends = sum(number for kind, number in counts.items() if kind in ("append_done", "append_done_later"))
    console.print(
        f"{summary.seeds:,} seeds in {seconds:,.0f} s ({summary.seeds / max(seconds, 0.001):.1f} a second): "
        f"{counts['generation']:,} generations, {counts['event']:,} events, {counts['job']:,} jobs at the vendor; "
        f"{counts['crash']:,} crashes, {counts['pause']:,} pauses, {counts['conflict']:,} conflicts, "
        f"{lost_appends:,} lost answers of the store and {lost_answers:,} of the vendor, "
        f"{counts['webhook']:,} webhooks."
    )
    for seed, problems in sorted(summary.failures.items()):
        console.print(f"seed {seed}: {problems[0]}", style="red", markup=False)
    if summary.failures:
        one = min(summary.failures)
        console.print(f"{len(summary.failures)} seeds failed. The story of one: ", end="")
        console.print(f"python -m tests.simulation --seed {one} --trace", markup=False)
    else:
        console.print("Every invariant held: nothing lost, nothing charged twice.", style="green")


def run_seeds(start: int, count: int, jobs: int, console: Console) -> bool:
    """True when every seed held."""
    begun = time.monotonic()
    summary = run_many(start, count, jobs, console)
    tell_summary(summary, time.monotonic() - begun, console)
    return not summary.failures


def run_one(seed: int, *, trace: bool, console: Console) -> bool:
    """True when the seed held."""
    report = run_seed(seed, keep_story=trace)
    for line in report.story:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"seed {seed}: digest {report.digest}", markup=False, highlight=False, soft_wrap=True)
    for problem in report.problems:
        console.print(problem, style="red", markup=False, soft_wrap=True)
    return not report.problems


def run_mutations(below: int, console: Console) -> bool:
    """Finds for every mutation the first seed that shows it. True when each has one."""
    found = True
    for mutation in MUTATIONS:
        seed = mutation.first_seed(below=below)
        found = found and seed is not None
        told = "no seed shows it" if seed is None else f"seed {seed} shows it: {mutation.run(seed).problems[0]}"
        console.print(f"{mutation.name}: {told}", markup=False, highlight=False, soft_wrap=True)
    return found
