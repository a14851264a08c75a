from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import page, plots
from benchmarks.case import Round
from benchmarks.results import Results, finding, save, this_machine
from tests.unit.benchmarks.samples import RATE, SHOWN, TIME, case

ECHO = case("echo", [RATE, SHOWN])
RESULTS = Results(
    "2026-11-25T18:50:00Z",
    False,
    {"echo": 700.0, "start": 20.0},
    this_machine(),
    [
        finding(ECHO, RATE, [Round("echo/64", 60, 100, {"p99, ms": 3.1}), Round("echo/64", 40, 100)]),
        finding(ECHO, SHOWN, [Round("echo/1", 3, 2)]),
        finding(case("start", [TIME]), TIME, [Round("start/empty", 3, 1)]),
    ],
    {},
)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(page, "REFERENCE", save(RESULTS, tmp_path / "reference.json"))
    monkeypatch.setattr(page, "REMARKS", tmp_path / "remarks.md")
    (tmp_path / "remarks.md").write_text("First of all.\n\n## start\n\nIt waits for a disk.\n")
    return tmp_path


def test_the_page_has_a_table_a_case_and_what_is_remarked_on_it(written: Path) -> None:
    text = page.performance_page()
    assert "2026-11-25, 12 minutes" in text
    assert "1 of 2 ratios reached" in text
    assert "| calls, 64 callers (p99, ms: 3.10) | a bare echo | 50 calls/s | 100 calls/s " in text
    assert "**0.50** of rates (0.40 .. 0.60) | ≥ 0.5 | reached |" in text
    assert "**3** of times (3 .. 3) | ≤ 1.5 | short by 100% |" in text
    assert "images/performance-echo.svg" in text
    assert "images/performance-start.svg" not in text
    assert (
        text.index("First of all.") < text.index("## Echo") < text.index("## Start") < text.index("waits for a disk")
    )


def test_a_remark_on_no_case_is_refused(written: Path) -> None:
    (written / "remarks.md").write_text("## stop\n\nNever.\n")
    with pytest.raises(ValueError, match=r"remarks.md has headings that are no case of the reference run: stop"):
        page.performance_page()


def test_the_same_results_are_drawn_as_the_same_bytes(tmp_path: Path) -> None:
    (first,) = plots.draw_all(RESULTS, tmp_path / "a")
    (second,) = plots.draw_all(RESULTS, tmp_path / "b")
    assert first.name == "performance-echo.svg"
    assert first.read_bytes() == second.read_bytes()
    assert "of rates: more is better" in first.read_text()
