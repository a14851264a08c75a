"""Plots as files, by matplotlib: stacked bars over time, a panel for each measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clients.history.daily import Series
from clients.history.errors import FormatUnknown
from clients.history.libraries import library

ENDINGS = (".png", ".svg", ".pdf")
# Okabe and Ito's colours, which the colour-blind can tell apart, too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
_BAR_WIDTH_DAYS = {"day": 0.85, "week": 6.0, "month": 26.0}


def check_ending(path: Path) -> None:
    """Raises FormatUnknown for a file that cannot be drawn."""
    if path.suffix.lower() not in ENDINGS:
        raise FormatUnknown(path.name, ENDINGS)


def draw(series: Sequence[Series], path: Path) -> None:
    """Draws the panels into a file, whole or not at all. Raises FormatUnknown, LibraryMissing."""
    check_ending(path)
    # The figure by itself, without pyplot: that would look for a screen.
    figure = library("matplotlib.figure").Figure(figsize=(9.0, 3.4 * len(series)), layout="constrained", dpi=120)
    for panel, each in zip(figure.subplots(len(series), squeeze=False)[:, 0], series, strict=True):
        _draw_panel(panel, each)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        figure.savefig(temporary, format=path.suffix.lower().removeprefix("."))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _draw_panel(panel: Any, series: Series) -> None:
    dates, ticker = library("matplotlib.dates"), library("matplotlib.ticker")
    panel.set_title(series.title, loc="left", fontweight="bold")
    panel.set_ylabel(series.unit)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_axisbelow(True)
    if not series.starts:
        panel.text(0.5, 0.5, "nothing to show", ha="center", va="center", transform=panel.transAxes)
        panel.set_xticks([])
        panel.set_yticks([])
        return
    below = [0] * len(series.starts)
    for index, (name, values) in enumerate(series.values.items()):
        panel.bar(
            series.starts,
            values,
            bottom=below,
            width=_BAR_WIDTH_DAYS[series.period],
            color=COLOURS[index % len(COLOURS)],
            label=name,
            align="center" if series.period == "day" else "edge",
        )
        below = [low + value for low, value in zip(below, values, strict=True)]
    locator = dates.AutoDateLocator(minticks=3, maxticks=10, interval_multiples=len(series.starts) > 14)
    locator.intervald[dates.HOURLY] = []
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    panel.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    panel.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    panel.grid(axis="y", color="#dddddd", linewidth=0.7)
    panel.legend(frameon=False, ncols=len(series.values), loc="lower right", bbox_to_anchor=(1.0, 1.0))
