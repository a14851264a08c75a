"""The table that a run prints."""

from __future__ import annotations

from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.case import Kind
from benchmarks.results import Finding, Results


def show(results: Results, console: Console) -> None:
    """The rows, then what is short, then what broke."""
    table = Table(caption="Ours / theirs: the median of the rounds (and the least and the greatest of them).")
    for heading in ("what", "against", "ours", "theirs", "unit", "ours / theirs", "of", "reach", ""):
        table.add_column(heading, overflow="fold")
    before = None
    for each in results.findings:
        if before is not None and each.case != before:
            table.add_section()
        before = each.case
        table.add_row(
            each.what + (f"\n[dim]{notes}[/dim]" if (notes := notes_of(each)) else ""),
            each.against,
            figure(median(each.ours)),
            figure(median(each.theirs)),
            each.unit,
            f"{figure(each.ratio)} ({figure(min(each.ratios))} .. {figure(max(each.ratios))})",
            f"{each.kind}, {better(each.kind)}",
            reach_of(each),
            each.verdict,
            style="yellow" if each.reached is False else None,
        )
    console.print(table)
    bound = [each for each in results.findings if each.reach is not None]
    reached = sum(each.reached is True for each in bound)
    console.print(
        f"{reached} of {len(bound)} ratios reached, in {sum(results.seconds.values()):.0f} s.", highlight=False
    )
    if results.quick:
        console.print("Sizes are small: where processes are started, their start is most of what was measured.")
    for name, error in results.broken.items():
        console.print(f"{name} could not be measured: {error}", style="red", markup=False, highlight=False)


def figure(value: float) -> str:
    """Three digits that count, without an exponent."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def better(kind: Kind) -> str:
    """``more is better``"""
    return f"{'more' if kind.more_is_better else 'less'} is better"


def reach_of(each: Finding) -> str:
    """``≥ 5``, or nothing."""
    return "" if each.reach is None else f"{each.kind.bound} {each.reach:g}"


def notes_of(each: Finding) -> str:
    """``p99, ms: 3.1; drops: 0``"""
    return "; ".join(f"{name}: {figure(value)}" for name, value in each.notes.items())
