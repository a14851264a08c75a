"""``python -m benchmarks [--quick] [--only WORD]... [--json] [--out FILE] [--into FILE] [--list]``.

The exit code is 1 if a case could not be measured. A ratio that is short is no error: it is said.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog
import uvloop
from rich.console import Console

from benchmarks.cases import CASES
from benchmarks.harness import chosen, run
from benchmarks.results import Results, load, merged, save
from benchmarks.show import show
from service.cli.garbage import set_collector_for_serving

FILE_WIDTH = 170


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast Triptych is, as ratios to what one would pick instead."
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, few rounds: does it work, roughly how fast"
    )
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="cases with this in their names")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of a table")
    parser.add_argument("--out", type=Path, help="the file for the results; default: benchmarks/results/<date>.json")
    parser.add_argument("--into", type=Path, help="an earlier run's file, in which these cases are to be replaced")
    parser.add_argument("--list", action="store_true", help="only name the cases and their rows")
    asked = parser.parse_args(arguments)
    try:
        cases = chosen(CASES, asked.only)
    except ValueError as error:
        parser.error(str(error))
    if asked.list:
        for case in cases:
            print(case.name, *(f"  {row.name}: {row.what}, against {row.against}" for row in case.rows), sep="\n")
        return 0
    set_collector_for_serving()  # as the service does; what runs in this process, of both sides, has it so too
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    path, earlier = asked.out or asked.into, load(asked.into) if asked.into else None

    def keep(results: Results) -> None:
        nonlocal path
        together = merged(earlier, results, [case.name for case in CASES]) if earlier else results
        path = save(together, path)

    results = uvloop.run(run(cases, quick=asked.quick, console=Console(stderr=True), keep=keep))
    if asked.json:
        sys.stdout.buffer.write(msgspec.json.encode(results) + b"\n")
    else:
        console = Console()
        # Where the output goes into a file or a log, nothing says how wide that is.
        show(results, console if console.is_terminal else Console(width=FILE_WIDTH))
        print(f"Written to {path}")
    return 1 if results.broken else 0


if __name__ == "__main__":
    sys.exit(main())
