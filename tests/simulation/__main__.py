"""``python -m tests.simulation``: see ``--help``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from tests.simulation.runner import run_mutations, run_one, run_seeds


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to run.")] = 1000,
    start: Annotated[int, typer.Option(min=0, help="The first of them.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="On how many processor cores.")] = 2,
    seed: Annotated[int | None, typer.Option(help="Run this one seed only.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="With --seed: tell its story.")] = False,
    mutations: Annotated[
        bool, typer.Option("--mutations", help="Find a seed below --seeds for every removed protection.")
    ] = False,
) -> None:
    """Simulates the core under crashes, conflicts, lost answers and a lying vendor; checks that nothing is lost."""
    console = Console()
    if mutations:
        held = run_mutations(seeds, console)
    elif seed is not None:
        held = run_one(seed, trace=trace, console=console)
    else:
        held = run_seeds(start, seeds, jobs, console)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    typer.run(main)
