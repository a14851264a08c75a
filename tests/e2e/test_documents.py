"""What the README shows is run: its commands against the real service, its outputs compared, its Python executed.

Ids, times, sizes and durations differ from run to run; they are compared by their shape. ``make`` commands are what
CI runs anyway; those that start something for good are left to the tests of those programs.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.system import RunningSystem, new_user

ROOT = Path(__file__).parents[2]
BOUND_SECONDS = 110
LEFT_TO_OTHER_TESTS = ("make ", "export ", ".venv/bin/triptychd ", ".venv/bin/python -m sandbox")


class Shown(NamedTuple):
    command: str
    output: str


def _blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def _shown(block: str) -> Iterator[Shown]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield Shown(command.partition(" #")[0].strip(), output)


def _shape(text: str) -> list[str]:
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"Improved: .*", "Improved: <words>", text)
    text = re.sub(r"[KM]iB", "iB", re.sub(r"[─━]+", "", text))
    return re.sub(r"\d+(\.\d+)?", "#", text).split()


def _run(command: str, system: RunningSystem, user: str, folder: Path) -> str:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    program, *arguments = shlex.split(command)
    assert Path(program).name == "triptych", command
    done = subprocess.run(
        [str(Path(sys.executable).parent / "triptych"), *arguments],
        env={
            **surroundings,
            "TRIPTYCH_SERVER": system.address,
            "TRIPTYCH_USER": user,
            "LANG": "C.UTF-8",
            "COLUMNS": "120",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md"])
def test_commands_print_what_the_page_shows(page: str, system: RunningSystem, tmp_path: Path) -> None:
    user, compared = new_user(), 0
    for block in _blocks(page, "console"):
        for shown in _shown(block):
            if shown.command.startswith(LEFT_TO_OTHER_TESTS):
                continue
            printed = _run(shown.command, system, user, tmp_path)
            assert _shape(printed) == _shape(shown.output), shown.command
            compared += 1
    assert compared >= 2


def test_the_python_of_the_readme_runs(system: RunningSystem, tmp_path: Path) -> None:
    (program,) = _blocks("README.md", "python")
    program = program.replace('"localhost:50051"', repr(system.address)).replace('"anna"', repr(new_user()))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cat.png").read_bytes().startswith(b"\x89PNG")


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
