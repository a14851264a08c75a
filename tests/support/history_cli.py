"""``triptych history`` as it is typed, in this process: what it prints, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from clients.cli.main import app


class HistoryCli:
    """Commands against one server. Output is that of a pipe."""

    def __init__(self, address: str, environment: Mapping[str, str] | None = None) -> None:
        self._runner = CliRunner()
        self._environment = {
            "TRIPTYCH_SERVER": address,
            "TRIPTYCH_USER": "",
            "TRIPTYCH_TOKEN": "",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
            **(environment or {}),
        }

    def run(self, *arguments: str | Path, code: int = 0, stdin: str | None = None) -> Any:
        """The result of ``triptych ARGUMENTS``; its exit code must be ``code``."""
        result = self._runner.invoke(app, [str(each) for each in arguments], env=self._environment, input=stdin)
        assert result.exit_code == code, (arguments, result.exit_code, result.stdout, result.stderr)
        assert "\x1b" not in result.output
        return result

    def text(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """What ``triptych history ARGUMENTS`` prints."""
        return str(self.run("history", *arguments, stdin=stdin).stdout)

    def json(self, *arguments: str | Path) -> list[Any]:
        """The same with --json: the objects, one a line."""
        return [json.loads(line) for line in self.text(*arguments, "--json").splitlines()]

    def refused(self, *arguments: str | Path, code: int = 1) -> str:
        """What stderr says of a command of history that is refused; stdout stays empty."""
        result = self.run("history", *arguments, code=code)
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return str(result.stderr)
