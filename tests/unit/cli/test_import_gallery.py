"""``triptychd import``: options that cannot be right are refused by name, before anything is opened."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from service.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--map", "created_at"], "--map: 'created_at' is not FIELD=COLUMN"),
        (["--media-root", "no-such-folder"], "--media-root: there is no folder no-such-folder"),
        (["--user-template", "telegram"], "--user-template: must have {id} in it once"),
        (["--timezone", "Moscow"], "--timezone: 'Moscow' is not a time zone"),
        (["--timezone", "../etc/passwd"], "--timezone: '../etc/passwd' is not a time zone"),
        (["--encoding", "klingon"], "--encoding: 'klingon' is no encoding"),
        ([], "No such file or directory: 'no-such-file.csv'"),
    ],
)
def test_options_that_cannot_be_right_are_refused_by_name(
    arguments: list[str], why: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("nothing"))
    done = CliRunner().invoke(app, ["import", "--from", "no-such-file.csv", *arguments])
    assert (done.exit_code, why in " ".join(done.stderr.split())) == (1, True), done.output
