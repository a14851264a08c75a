from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.case import Round, Row
from benchmarks.figures import percentile
from benchmarks.results import Finding, Results, finding, load, merged, now, save, this_machine
from tests.unit.benchmarks.samples import RATE, SHOWN, TIME, case


def found(row: Row, *rounds: tuple[float, float]) -> Finding:
    return finding(case("a case", [row]), row, [Round(row.name, *each) for each in rounds])


def test_the_ratio_is_the_median_of_the_rounds_ratios_and_not_the_ratio_of_medians() -> None:
    found_ = found(RATE, (10, 100), (90, 100), (80, 10))
    assert found_.ratios == [0.1, 0.9, 8.0]
    assert found_.ratio == 0.9


@pytest.mark.parametrize(
    ("row", "ours", "theirs", "verdict"),
    [
        (RATE, 50, 100, "reached"),
        (RATE, 45, 100, "short by 10%"),
        (RATE, 500, 100, "reached"),
        (TIME, 1.5, 1, "reached"),
        (TIME, 1.8, 1, "short by 20%"),
        (TIME, 0.1, 1, "reached"),
        (SHOWN, 0.1, 1, ""),
    ],
)
def test_a_rate_reaches_its_bound_from_above_and_a_time_from_below(
    row: Row, ours: float, theirs: float, verdict: str
) -> None:
    assert found(row, (ours, theirs)).verdict == verdict


def test_notes_are_medians_of_the_rounds_that_have_them() -> None:
    rounds = [Round("echo/64", 1, 1, {"p99, ms": value}) for value in (3.0, 1.0, 2.0)]
    notes = finding(case("a case", [RATE]), RATE, [*rounds, Round("echo/64", 1, 1)]).notes
    assert notes == {"p99, ms": 2.0}


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = Results(
        now(), False, {"a case": 12.5}, this_machine(), [found(RATE, (1, 2), (2, 3))], {"other": "KeyError: 'x'"}
    )
    path = save(results, tmp_path / "a" / "results.json")
    assert load(path) == results
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(msgspec.ValidationError):
        load(tmp_path / "other.json")


def test_a_later_run_takes_the_place_of_the_cases_that_it_has_measured() -> None:
    echo, start = case("echo", [RATE]), case("start", [TIME])
    first = finding(echo, RATE, [Round("echo/64", 1, 2)])
    kept = finding(start, TIME, [Round("start/empty", 1, 2)])
    second = finding(echo, RATE, [Round("echo/64", 2, 2)])
    earlier = Results(
        "1", False, {"start": 5.0, "echo": 6.0, "gone": 7.0}, this_machine(), [kept, first], {"gone": "E"}
    )
    later = Results("2", False, {"echo": 8.0, "gone": 1.0}, this_machine(), [second], {})
    together = merged(earlier, later, ["echo", "start"])
    assert together == Results(
        "2", False, {"start": 5.0, "echo": 8.0, "gone": 1.0}, this_machine(), [second, kept], {}
    )
    with pytest.raises(ValueError, match="has other sizes"):
        merged(msgspec.structs.replace(earlier, quick=True), later, [])


def test_machine_facts_name_no_machine() -> None:
    told = msgspec.json.encode(this_machine()).decode()
    assert "eventsourcing" in told
    assert Path.home().as_posix() not in told
    assert Path.cwd().as_posix() not in told


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_were_measured(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected
