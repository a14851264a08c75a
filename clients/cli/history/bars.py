"""Plots in the terminal: a bar for each day, with a part for each type that can be told apart without colour, too."""

from __future__ import annotations

from rich.text import Text

from clients.cli.session import Session
from clients.history.daily import Series

_PARTS = "█▒▓░▚"
_STYLES = ("blue", "yellow", "green", "magenta", "cyan")
_LABEL_COLUMNS = 28
"""For the date before the bar and the figure behind it."""


def print_bars(series: Series, session: Session) -> None:
    """One measure."""
    session.out.print(series.title, style="bold")
    if not series.starts:
        session.out.print("  nothing to show")
        return
    legend = Text("  ")
    for index, name in enumerate(series.values):
        legend.append(_PARTS[index % len(_PARTS)] * 2, _STYLES[index % len(_STYLES)])
        legend.append(f" {name}   ")
    session.out.print(legend)
    totals = [sum(each) for each in zip(*series.values.values(), strict=True)]
    scale = max(10, min(session.out.width, 120) - _LABEL_COLUMNS) / max(*totals, 1)
    for index, start in enumerate(series.starts):
        bar = Text(f"  {start.strftime('%Y-%m-%d %a')} ")
        reached = drawn = 0
        for part, values in enumerate(series.values.values()):
            reached += values[index]
            # Cut off the sum and not each part, so that bars of the same total are of the same length.
            length = round(reached * scale) - drawn
            bar.append(_PARTS[part % len(_PARTS)] * length, _STYLES[part % len(_STYLES)])
            drawn += length
        bar.append(f" {totals[index]:,}")
        session.out.print(bar, no_wrap=True)
