"""Runs cases one after the other and says what they found.

A case that raises is named, with its error, and the others go on; a row that no round was yielded for is such an
error too. Rounds of a case may come in any order, so a case can measure several rows side by side.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.bench import Bench
from benchmarks.case import Case, Round
from benchmarks.results import Finding, Results, finding, now, this_machine


class NotMeasured(Exception):
    """A case ended without a round for some of its rows."""

    def __init__(self, rows: Sequence[str]) -> None:
        super().__init__(f"no round was measured for {', '.join(rows)}")
        self.rows = rows


def chosen(cases: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """The cases that have one of these words in their name or a row's. Raises ValueError where a word finds none."""
    for word in only:
        if not any(_has(case, word) for case in cases):
            names = ", ".join(case.name for case in cases)
            raise ValueError(f"--only {word}: no benchmark has this in its name; there are {names}")
    return [case for case in cases if (any(_has(case, word) for word in only) if only else not case.by_name_only)]


def _has(case: Case, word: str) -> bool:
    return word in case.name or any(word in row.name for row in case.rows)


async def run(
    cases: Sequence[Case], *, quick: bool, console: Console, keep: Callable[[Results], None] = lambda results: None
) -> Results:
    """Measures the cases; the progress is shown on ``console`` where that is a terminal.

    ``keep`` is given what there is after every case, so that a run which is ended has not been in vain.
    """
    results = Results(now(), quick, {}, this_machine(), [], {})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=sum(_expected(case, quick) for case in cases))
        done = 0

        def tell(text: str) -> None:
            progress.update(task, description=text)

        async with Bench(quick=quick, tell=tell) as bench:
            for case in cases:
                tell(case.name)
                bench.rounds = case.rounds.quick if quick else case.rounds.full
                begun = time.perf_counter()
                try:
                    results.findings.extend(await _measure(case, bench, lambda: progress.advance(task)))
                except Exception as error:  # noqa: BLE001 - named in the results and by the exit code
                    results.broken[case.name] = f"{type(error).__name__}: {error}"
                    console.print_exception()
                done += _expected(case, quick)
                progress.update(task, completed=done)
                results.seconds[case.name] = time.perf_counter() - begun
                console.print(f"{case.name}: {results.seconds[case.name]:.0f} s", style="dim", highlight=False)
                keep(results)
    return results


def _expected(case: Case, quick: bool) -> int:
    """Rounds."""
    return len(case.rows) * (case.rounds.quick if quick else case.rounds.full)


async def _measure(case: Case, bench: Bench, measured: Callable[[], None]) -> list[Finding]:
    rounds: dict[str, list[Round]] = defaultdict(list)
    async for each in case.measure(bench):
        rounds[each.row].append(each)
        bench.tell(each.row)
        measured()
    if missing := [row.name for row in case.rows if row.name not in rounds]:
        raise NotMeasured(missing)
    return [finding(case, row, rounds[row.name]) for row in case.rows]
