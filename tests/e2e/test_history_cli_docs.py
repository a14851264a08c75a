"""What ``docs/analysts.md`` shows is run: every query, every command, every program, on a made-up history.

The history may be made up otherwise some day, so of outputs only the first line is compared, and numbers in it by
their shape.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.history.columns import COLUMNS
from tests.support.history_cli import HistoryCli
from tests.support.log_server import serving_log

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/analysts.md").read_text("utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```\n\n```text\n(.*?)\n", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```console\n\$ triptych (.*?)\n(.*?)\n", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an analyst works: with an export, a projection and another catalog."""
    folder = tmp_path_factory.mktemp("analyst")
    catalog = (ROOT / "service/catalog.toml").read_text("utf-8")
    (folder / "dearer.toml").write_text(
        catalog.replace("credits_per_output = 5\n", "credits_per_output = 7\n"), "utf-8"
    )
    name = re.match(r"# (\w+\.py)\n", PROGRAMS[0])
    assert name is not None
    (folder / name.group(1)).write_text(PROGRAMS[0], "utf-8")
    return folder


@pytest.fixture(scope="module")
def cli(folder: Path) -> Iterator[HistoryCli]:
    with serving_log(events=3000) as server:
        cli = HistoryCli(server.address)
        cli.run("history", "export", folder / "history")
        yield cli


def shape(line: str) -> list[str]:
    return re.sub(r"[\d,.]+", "#", line).split()


def test_the_page_has_what_it_promises() -> None:
    assert len(QUERIES) == PAGE.count("```sql") >= 6
    assert len(COMMANDS) == PAGE.count("```console") >= 6
    assert len(PROGRAMS) == 2


@pytest.mark.parametrize(("query", "first_line"), QUERIES, ids=[str(n) for n in range(len(QUERIES))])
def test_queries_answer_as_shown(cli: HistoryCli, folder: Path, query: str, first_line: str) -> None:
    lines = cli.text("sql", query, "--over", folder / "history").splitlines()
    assert lines[0].split() == first_line.split()
    assert len(lines) > 2


@pytest.mark.parametrize(("command", "first_line"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_commands_print_what_is_shown(
    cli: HistoryCli, folder: Path, command: str, first_line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path if " export " in f" {command} " else folder)
    printed = cli.run(*shlex.split(command)).stdout
    if "replay" in command:  # Its lines tell of particular events.
        assert len(printed.splitlines()) == 3
    else:
        assert shape(printed.splitlines()[0]) == shape(first_line)


def test_the_program_for_notebooks_runs(
    cli: HistoryCli, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    exec(PROGRAMS[1], {})
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert {"succeeded", "failed"} <= printed.keys()


def test_the_columns_are_described_as_they_are() -> None:
    described = re.findall(r"^\| `(\w+)` \| (integer|text|time|json) \| (.+) \|$", PAGE, re.MULTILINE)
    assert described == [(column.name, column.kind, column.meaning) for column in COLUMNS]
