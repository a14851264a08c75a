from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from benchmarks.bench import Bench
from benchmarks.case import Figure, Round, in_turns
from benchmarks.cases import CASES
from benchmarks.harness import chosen, run
from benchmarks.show import show
from tests.unit.benchmarks.samples import RATE, SHOWN, TIME, case

ECHO = case("echo", [RATE, SHOWN], Round("echo/64", 60, 100), Round("echo/1", 3, 2), Round("echo/64", 40, 100))
START = case("start", [TIME], Round("start/empty", 3, 1))
LONG = case("analysts", [], by_name_only=True)


def test_a_word_chooses_cases_and_rows_by_any_part_of_their_names() -> None:
    assert chosen([ECHO, START, LONG], []) == [ECHO, START]
    assert chosen([ECHO, START, LONG], ["analysts"]) == [LONG]
    assert chosen([ECHO, START, LONG], ["/64", "sta"]) == [ECHO, START]
    with pytest.raises(ValueError, match="--only nothing: no benchmark has this in its name; there are echo, start"):
        chosen([ECHO, START], ["echo", "nothing"])


async def test_a_run_finds_what_the_rounds_say_and_goes_on_when_a_case_breaks() -> None:
    unmeasured = case("half", [RATE, TIME], Round("echo/64", 1, 1))
    console = Console(file=io.StringIO(), width=170)
    kept: list[list[str]] = []
    results = await run(
        [unmeasured, ECHO, START],
        quick=True,
        console=console,
        keep=lambda results: kept.append(list(results.seconds)),
    )
    assert kept == [["half"], ["half", "echo"], ["half", "echo", "start"]]
    assert results.broken == {"half": "NotMeasured: no round was measured for start/empty"}
    assert [(each.name, each.ratio, each.verdict) for each in results.findings] == [
        ("echo/64", 0.5, "reached"),
        ("echo/1", 1.5, ""),
        ("start/empty", 3.0, "short by 100%"),
    ]

    output = io.StringIO()
    show(results, Console(file=output, width=170))
    told = output.getvalue()
    assert "1 of 2 ratios reached" in told
    assert "rates, more is better" in told
    assert "times, less is better" in told
    assert "half could not be measured: NotMeasured" in told


async def test_both_sides_take_turns_at_going_first() -> None:
    order = []

    async def ours() -> Figure:
        order.append("ours")
        return Figure(2.0, {"p99, ms": 1.0})

    async def theirs() -> Figure:
        order.append("theirs")
        return Figure(1.0, {"p99, ms": 3.0})

    async with Bench(quick=True) as bench:
        bench.rounds = 3
        rounds = [each async for each in in_turns(bench, "echo/64", ours, theirs)]
    assert order == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert rounds[0] == Round("echo/64", 2.0, 1.0, {"p99, ms": 1.0, "p99, ms (theirs)": 3.0})
    assert len(rounds) == 3


def test_every_row_of_the_benchmarks_has_a_name_of_its_own() -> None:
    names = Counter(row.name for each in CASES for row in each.rows)
    assert [name for name, count in names.items() if count > 1] == []
    assert [each.name for each in CASES if not each.rows] == []
    for each in CASES:
        assert {row.name.partition("/")[0] for row in each.rows} == {each.name}
        assert not any(row.curve and not each.axis for row in each.rows), "a curve needs an axis"
