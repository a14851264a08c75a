"""Reading the settings, with problems told in plain sentences that never show a secret."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.config.expected import expected
from service.config.settings import FILE_VARIABLE, PREFIX, Settings

_OF_OTHERS = ("TEST_", "WEB_", "TELEGRAM_")


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
        raise SettingsError([*problems, f"{FILE_VARIABLE}: there is no file {file!r}"])
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        problems += [_sentence(each) for each in error.errors(include_input=False)]
    except (OSError, ValueError) as error:
        problems.append(f"{FILE_VARIABLE}: {file} cannot be read as TOML: {error}" if file else str(error))
    if problems:
        raise SettingsError(problems)
    return settings


def _unknown_variables() -> list[str]:
    # Those of the tests, the web gallery and the Telegram bot are theirs; the first ones here are the clients'.
    known = ["SERVER", "TOKEN", "USER", FILE_VARIABLE.removeprefix(PREFIX)]
    known += [name.upper() for name in Settings.model_fields]
    names = (name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX))
    return [_no_such(name, known) for name in names if name not in known and not name.startswith(_OF_OTHERS)]


def _no_such(name: str, known: Sequence[str]) -> str:
    """``name`` and ``known`` are in capitals and without the prefix, which would make all names alike."""
    close = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else "docs/settings.md lists those there are"
    return f"{PREFIX}{name}: there is no such setting; {hint}"


def _sentence(error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return _no_such(name.upper(), [known.upper() for known in Settings.model_fields])
    message = str(error["msg"]).removeprefix("Value error, ")
    if not name:
        return message
    # The library's own sentences speak of inputs and types; what is expected is said instead.
    if error["type"] != "value_error":
        message = f"must be {expected(Settings.model_fields[name])}"
    return f"{PREFIX}{name.upper()}: {message}"
