"""Reading the settings, with problems told in plain sentences that never show a secret."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.config.settings import FILE_VARIABLE, PREFIX, Settings


class SettingsError(Exception):
    """Settings that cannot be right. ``problems`` has one plain sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process, or SettingsError. ``overrides`` (from a command line) win."""
    problems = _unknown_variables()
    file = os.environ.get(FILE_VARIABLE)
    if file and not Path(file).is_file():
        problems.append(f"{FILE_VARIABLE}: there is no file {file!r}")
    if problems:
        raise SettingsError(problems)
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise SettingsError([_sentence(each) for each in error.errors()]) from None
    except ValueError as error:
        raise SettingsError([f"{FILE_VARIABLE}: {error}" if file else str(error)]) from None


def _unknown_variables() -> list[str]:
    # TRIPTYCH_TEST_* belong to the tests, TRIPTYCH_SERVER and TRIPTYCH_TOKEN to the clients.
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {FILE_VARIABLE, "TRIPTYCH_SERVER", "TRIPTYCH_TOKEN", "TRIPTYCH_USER"}
    problems = []
    for name in os.environ:
        if name.startswith(PREFIX) and not name.startswith("TRIPTYCH_TEST_") and name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else "; docs/settings.md lists those there are"
            problems.append(f"{name}: there is no such setting{hint}")
    return problems


def _sentence(error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, Settings.model_fields, 1)
        message = "there is no such setting" + (f"; did you mean {close[0]}?" if close else "")
    return f"{PREFIX}{name.upper()}: {message}" if name else message
