"""The benchmarks run: one case of them, with small sizes, both sides for real. What it finds is not looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.results import Results, load

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(400)
def test_a_case_is_measured_and_its_results_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "catching-up", "--json", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    results = msgspec.json.decode(done.stdout, type=Results)
    assert results == load(out)
    assert results.quick
    assert results.broken == {}
    (found,) = results.findings
    assert found.name == "catching-up/eventsourcing"
    assert len(found.ours) == len(found.theirs) == 3
    assert min(*found.ours, *found.theirs) > 0


def test_what_there_is_to_measure_can_be_listed_and_a_wrong_name_is_told() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "append/psycopg/64x1: append, 64 callers, 1 event each, against psycopg, equal batches" in listed.stdout
    wrong = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "no-such-thing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 2
    assert "--only no-such-thing: no benchmark has this in its name; there are append" in wrong.stderr
