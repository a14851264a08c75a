"""Growth curves as pictures: the ratios of a case's rows over what grows, with the spread of the rounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import matplotlib
from matplotlib.figure import Figure

from benchmarks.results import Finding, Results
from benchmarks.show import better

FOLDER = Path(__file__).parents[1] / "docs" / "images"


def curves(results: Results) -> dict[str, list[Finding]]:
    """Findings that are points of curves, by the name of their case."""
    found: dict[str, list[Finding]] = {}
    for each in results.findings:
        if each.curve is not None and each.at is not None:
            found.setdefault(each.case, []).append(each)
    return found


def file_name(case: str) -> str:
    return f"performance-{case}.svg"


def draw_all(results: Results, folder: Path = FOLDER) -> list[Path]:
    """One SVG a case, the same bytes for the same results; where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for case, findings in curves(results).items():
        path = folder / file_name(case)
        with matplotlib.rc_context({"svg.hashsalt": case, "svg.fonttype": "none", "font.size": 9}):
            draw(findings).savefig(path, format="svg", metadata={"Date": None})
        paths.append(path)
    return paths


def draw(findings: Sequence[Finding]) -> Figure:
    """The curves of one case, which share an axis."""
    figure = Figure(figsize=(7.5, 3.8), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(dict.fromkeys(each.curve for each in findings)):
        points = sorted((each for each in findings if each.curve == name), key=lambda each: each.at or 0)
        ratios = [each.ratios for each in points]
        middle = [median(each) for each in ratios]
        axes.errorbar(
            [each.at or 0 for each in points],
            middle,
            yerr=[
                [m - min(each) for m, each in zip(middle, ratios, strict=True)],
                [max(each) - m for m, each in zip(middle, ratios, strict=True)],
            ],
            marker="o",
            markersize=4,
            capsize=3,
            color=f"C{number}",
            label=name,
        )
    for bound, sign in dict.fromkeys((each.reach, each.kind.bound) for each in findings if each.reach is not None):
        axes.axhline(bound, color="grey", linestyle=":", label=f"to reach: {sign} {bound:g}")
    axes.set_xscale("log")
    if max(max(each.ratios) for each in findings) > 8 * min(min(each.ratios) for each in findings):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    else:
        axes.set_ylim(bottom=0)
    kinds = dict.fromkeys(each.kind for each in findings)
    places = sorted({each.at or 0 for each in findings})
    axes.set_xticks(places, [f"{place:,.0f}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(findings[0].axis)
    axes.set_ylabel("ours / theirs" + "".join(f"\nof {kind}: {better(kind)}" for kind in kinds))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
