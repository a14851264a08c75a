"""Projections of one's own: how they are found, run, and told of when they raise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from clients.history.errors import ProjectionFailed, ProjectionUnusable
from clients.history.projections import load
from clients.history.source import EVERYTHING, Selection
from clients.sdk import Event, Triptych

MODULE = """
from collections import Counter

class Types:
    def __init__(self):
        self.found = Counter()
    def apply(self, event):
        self.found[event.type] += 1
    def result(self):
        return dict(self.found)

class Picky(Types):
    event_types = ("GenerationFailed", "CreditsGranted")

class WithoutResult:
    last = 0
    def apply(self, event):
        self.last = event.position

class Bad:
    def apply(self, event):
        if event.type == "GenerationRequested":
            return event.payload["no_such_field"]

class BadResult(Types):
    def result(self):
        return 1 / 0

class BadBeginning(Types):
    def __init__(self, missing):
        pass

class Idle:
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analyst")
    (folder / "my_projections.py").write_text(MODULE)
    (folder / "my_mistake.py").write_text("import no_such_library\n")
    (folder / "my_typo.py").write_text("class X:\n  def apply(self event): pass\n")
    return folder


@pytest.mark.parametrize("where", ["my_projections", "my_projections.py"])
def test_it_is_given_every_event_once_in_order(
    client: Triptych, events: Sequence[Event], folder: Path, where: str
) -> None:
    projection = load(f"{where}:Types", folder)
    assert projection.run(client, EVERYTHING) == Counter(each.type for each in events)
    last = load(f"{where}:WithoutResult", folder).run(client, EVERYTHING)
    assert last.last == events[-1].position


def test_it_may_say_which_types_it_wants(client: Triptych, folder: Path) -> None:
    picky = load("my_projections:Picky", folder)
    assert picky.run(client, EVERYTHING).keys() == {"GenerationFailed", "CreditsGranted"}
    again = load("my_projections:Picky", folder)
    assert again.run(client, Selection(event_types=("CreditsDebited",))).keys() == {"CreditsDebited"}


def test_one_that_raises_is_told_with_the_event(client: Triptych, events: Sequence[Event], folder: Path) -> None:
    first = next(each for each in events if each.type == "GenerationRequested")
    with pytest.raises(ProjectionFailed) as failed:
        load("my_projections:Bad", folder).run(client, EVERYTHING)
    assert (failed.value.position, failed.value.type) == (first.position, first.type)
    assert isinstance(failed.value.__cause__, KeyError)
    assert f"apply raised KeyError at position {first.position} (GenerationRequested)" in str(failed.value)
    with pytest.raises(ProjectionFailed, match="result raised ZeroDivisionError"):
        load("my_projections:BadResult", folder).run(client, Selection(until_position=5))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my_projections", "module:Class"),
        (":Types", "module:Class"),
        ("no_such_module:Types", "no module no_such_module"),
        ("no_such_file.py:Types", "no file"),
        ("my_projections:Nothing", "has no Nothing"),
        ("my_projections:Idle", "no method apply"),
        ("my_projections:BadBeginning", "TypeError"),
        ("my_mistake:X", "No module named 'no_such_library'"),
        ("my_typo:X", "SyntaxError"),
        ("my_typo.py:X", "SyntaxError"),
    ],
)
def test_what_is_no_projection_is_said_plainly(folder: Path, name: str, said: str) -> None:
    with pytest.raises(ProjectionUnusable, match=said):
        load(name, folder)
