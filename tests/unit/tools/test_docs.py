"""The generated pages: fresh, complete, and able to say when they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from service.config import Settings
from service.domain.catalog import Catalog, MediaType
from service.domain.events import EVENT_TYPES
from tools.docs.__main__ import PAGES, main, stale, write
from tools.docs.events_page import events_page
from tools.docs.fields import type_in_words
from tools.docs.markdown import prose, table
from tools.docs.settings_page import settings_page
from tools.docs.source import attribute_docstrings, headings, makers


@pytest.fixture(scope="module")
def settings() -> str:
    return settings_page()


@pytest.fixture(scope="module")
def events() -> str:
    return events_page()


class Sample:
    """Attributes as classes have them."""

    # The first group
    first: int = 1
    """What the first
    one means."""
    second: int = 2
    # Not above an attribute's line:

    # The second group
    third: str = ""


def test_the_committed_pages_are_fresh() -> None:
    assert stale() == [], "run 'make docs'"


def test_check_names_what_is_stale_and_write_mends_it(tmp_path: Path) -> None:
    assert stale(tmp_path) == list(PAGES)
    assert write(tmp_path) == list(PAGES)
    assert stale(tmp_path) == []
    page = tmp_path / "docs/events.md"
    page.write_text(page.read_text("utf-8").replace("A generation was paid for.", "Money is gone."), "utf-8")
    assert stale(tmp_path) == ["docs/events.md"]
    assert write(tmp_path) == ["docs/events.md"]
    assert write(tmp_path) == []


def test_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["check"]) == 0
    monkeypatch.setitem(PAGES, "docs/settings.md", lambda: "other")
    assert main(["check"]) == 1
    assert capsys.readouterr().err == "docs/settings.md: is stale; run 'make docs' and commit it\n"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_on_its_page(settings: str, name: str) -> None:
    assert f"| `TRIPTYCH_{name.upper()}` | " in settings


@pytest.mark.parametrize("struct", [Catalog, MediaType])
def test_every_key_of_the_catalog_is_described(struct: type) -> None:
    assert set(attribute_docstrings(struct)) == {field.name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_says_when_it_happens_and_who_decides_it(events: str, name: str) -> None:
    event = EVENT_TYPES[name]
    assert event.__doc__ != event.__base__.__doc__
    assert f"### {name}\n\n{prose(event.__doc__)}\n\nDecided by `" in events


def test_pages_do_not_depend_on_the_machine(settings: str, events: str) -> None:
    assert str(Path.home()) not in settings + events


def test_docstrings_under_attributes() -> None:
    assert attribute_docstrings(Sample) == {"first": "What the first\none means."}


def test_comments_above_attributes_are_headings() -> None:
    assert headings(Sample) == {"first": "The first group", "third": "The second group"}


def test_makers_are_functions_that_make_not_those_that_look(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(
        "def make(state): return [e.Happened(id=1)]\n"
        "def choose(state):\n    kind: type[Happened] = e.Happened if state else e.Other\n    return kind()\n"
        "def look(event: Happened):\n"
        "    match event:\n        case e.Happened(): return 1\n"
        "    return isinstance(event, e.Happened)\n"
    )
    assert makers(tmp_path, {"Happened"}) == {"Happened": ["sample.make", "sample.choose"]}


def test_types_in_words() -> None:
    assert type_in_words(int | None) == "whole number or null"
    assert type_in_words(tuple[str, ...]) == "list of text"
    assert type_in_words(Literal["", "asked"]) == "one of empty, `asked`"
    assert type_in_words(MediaType) == "MediaType"
    with pytest.raises(TypeError, match="no words for <class 'complex'>"):
        type_in_words(complex)


def test_cells_are_one_line_and_keep_the_table() -> None:
    assert table(["a"], [["one\n  two | three"]]) == "| a |\n| --- |\n| one two \\| three |"
