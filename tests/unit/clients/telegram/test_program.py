"""What the program says before it has anything to do with Telegram."""

from __future__ import annotations

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from clients.telegram import __main__ as program


def run(*arguments: str) -> Result:
    app = Typer()
    app.command()(program.serve)
    return CliRunner().invoke(app, arguments)


def test_help_names_the_settings() -> None:
    told = run("--help")
    assert told.exit_code == 0
    assert "TRIPTYCH_TELEGRAM_" in told.stdout


def test_a_missing_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIPTYCH_TELEGRAM_TOKEN", raising=False)
    told = run()
    assert told.exit_code == 2
    assert "triptych-telegram: TRIPTYCH_TELEGRAM_TOKEN: must be set" in told.stderr


def test_missing_libraries_are_named_with_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "NEEDED", ("aiogram", "no_such_library"))
    told = run()
    assert told.exit_code == 2
    assert (
        told.stderr == "triptych-telegram: the bot needs no_such_library. Install: pip install 'triptych[telegram]'\n"
    )
