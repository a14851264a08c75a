"""``docs/performance.md`` and its plots, from one committed run: ``python -m benchmarks.page``.

The figures are ``results/reference.json``; what is to be said about them, such as why one is short, stands in
``remarks.md`` under a heading with the case's name. ``make docs`` too writes the page anew, and a test holds it to
both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.plots import curves, draw_all, file_name
from benchmarks.results import FOLDER, Finding, Results, load
from benchmarks.show import figure, notes_of, reach_of
from tools.docs.markdown import page, table

REFERENCE = FOLDER / "reference.json"
REMARKS = Path(__file__).parent / "remarks.md"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
GENERATED = (
    "<!-- Made by `make docs` from benchmarks/results/reference.json and benchmarks/remarks.md; edit those. -->"
)
INTRODUCTION = """
Triptych beside what one would pick instead, and beside the bare machine: `make bench` measures both sides in turns,
in one run, and prints ratios. (`make bench-quick` does so with small sizes, to see that it works; `python -m
benchmarks --help` tells the rest.) Absolute figures depend on the machine and on what else it does; the ratio is the
median of the rounds, and in brackets stand the least and the greatest of them.

The ratio is always ours / theirs. Of rates more is better, and **≥** says what to reach; of times and sizes less is
better, and **≤** does.
"""


def performance_page() -> str:
    """The whole page."""
    results = load(REFERENCE)
    remarks = read_remarks(REMARKS.read_text("utf-8"))
    cases = list(dict.fromkeys(each.case for each in results.findings))
    if unknown := remarks.keys() - {*cases, ""}:
        raise ValueError(
            f"remarks.md has headings that are no case of the reference run: {', '.join(sorted(unknown))}"
        )
    drawn = curves(results)
    return page(
        "# Performance",
        GENERATED,
        INTRODUCTION,
        _machine(results),
        remarks.get("", ""),
        *(
            part
            for case in cases
            for part in _section(
                [each for each in results.findings if each.case == case], remarks.get(case, ""), drawn=case in drawn
            )
        ),
    )


def read_remarks(text: str) -> dict[str, str]:
    """By the heading (``## case``) that they stand under; "" for what stands before the first."""
    parts = re.split(r"^## (\S+)$", text, flags=re.MULTILINE)
    return {"": parts[0].strip(), **{name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}}


def _machine(results: Results) -> str:
    machine = results.machine
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    bound = [each for each in results.findings if each.reach is not None]
    reached = sum(each.reached is True for each in bound)
    minutes = sum(results.seconds.values()) / 60
    return (
        f"This run: {results.date[:10]}, {minutes:.0f} minutes, on {machine.cores} cores and "
        f"{machine.memory_gibibytes} GiB that the database and the callers shared; {machine.system}, "
        f"Python {machine.python}, {libraries}; fsync on. {reached} of {len(bound)} ratios reached."
    )


def _section(findings: list[Finding], remark: str, *, drawn: bool) -> Iterable[str]:
    first = findings[0]
    yield f"## {first.title}"
    yield table(("what", "against", "ours", "theirs", "ours / theirs", "to reach", ""), map(_row, findings))
    if drawn:
        yield f"![{first.title}: the ratios over {first.axis}](images/{file_name(first.case)})"
    yield remark


def _row(each: Finding) -> tuple[str, ...]:
    notes = f" ({notes})" if (notes := notes_of(each)) else ""
    spread = f"{figure(min(each.ratios))} .. {figure(max(each.ratios))}"
    return (
        f"{each.what}{notes}",
        each.against,
        f"{figure(median(each.ours))} {each.unit}",
        f"{figure(median(each.theirs))} {each.unit}",
        f"**{figure(each.ratio)}** of {each.kind} ({spread})",
        reach_of(each),
        each.verdict,
    )


def main() -> None:
    """Writes the page and its plots."""
    PAGE.write_text(performance_page(), "utf-8")
    for path in (PAGE, *draw_all(load(REFERENCE))):
        print(f"{path.name}: written")


if __name__ == "__main__":
    main()
