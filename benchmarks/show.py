"""The table that a run prints."""

from __future__ import annotations

from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.case import Kind
from benchmarks.results import Finding, Results

RATIO = {
    Kind.RATE: "of rates; more is better",
    Kind.TIME: "of times; less is better",
    Kind.SIZE: "of sizes; less is better",
}


def show(results: Results, console: Console) -> None:
    """The rows, then what is short, then what broke."""
    table = Table(show_lines=False, caption="ratio: ours / theirs; the median of the rounds, and the spread of all")
    for heading in ("what", "against", "ours", "theirs", "ratio", "reach", ""):
        table.add_column(heading, overflow="fold")
    before = None
    for each in results.findings:
        if before is not None and each.case != before:
            table.add_section()
        before = each.case
        table.add_row(
            each.what + notes_of(each),
            each.against,
            f"{figure(median(each.ours))} {each.unit}",
            f"{figure(median(each.theirs))} {each.unit}",
            f"{ratio_of(each)}\n[dim]{RATIO[each.kind]}[/dim]",
            reach_of(each),
            each.verdict,
            style=None if each.reached is not False else "yellow",
        )
    console.print(table)
    bound = [each for each in results.findings if each.reach is not None]
    reached = sum(each.reached is True for each in bound)
    console.print(f"{reached} of {len(bound)} ratios reached, in {results.seconds:.0f} s.", highlight=False)
    for name, error in results.broken.items():
        console.print(f"{name} could not be measured: {error}", style="red", markup=False, highlight=False)


def figure(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio_of(each: Finding) -> str:
    """``2.1 (1.9 .. 2.4)``"""
    return f"{figure(each.ratio)} ({figure(min(each.ratios))} .. {figure(max(each.ratios))})"


def reach_of(each: Finding) -> str:
    """``≥ 5``, or nothing."""
    return "" if each.reach is None else f"{each.kind.bound} {each.reach:g}"


def notes_of(each: Finding) -> str:
    """In brackets, or nothing."""
    told = "; ".join(f"{name}: {figure(value)}" for name, value in each.notes.items())
    return f" ({told})" if told else ""
