"""Problems are told whole, whatever stands in them."""

from __future__ import annotations

import pytest
import typer

from service.bootstrap import CannotStart
from service.cli.problems import told_plainly


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, told_plainly():
        raise CannotStart("the catalog has no [types.NAME] table", "and [red] is no colour")
    assert ended.value.exit_code == 1
    said = capsys.readouterr().err
    assert "[types.NAME]" in said
    assert "[red]" in said
