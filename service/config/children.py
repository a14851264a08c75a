"""The environments of child processes: what a process was set up with, and what is different for its children."""

from __future__ import annotations

import os
from collections.abc import Mapping

from service.config.settings import PREFIX

_OF_WEB = ("WEB_", "SERVER", "TOKEN")


def named_server() -> str:
    """The address of the API that clients on this machine are told to use (TRIPTYCH_SERVER), or empty."""
    return os.environ.get(f"{PREFIX}SERVER", "")


def service_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """For a child that is a service. ``changes`` are settings, by their names without the prefix."""
    return {**os.environ, **{PREFIX + name: value for name, value in changes.items()}}


def web_environment(*, server: str, token: str) -> dict[str, str]:
    """For the web gallery: its own settings and nothing of the service's, which has secrets that a web server should
    not. The operator's TRIPTYCH_SERVER and TRIPTYCH_TOKEN go first; where an argument is empty, nothing is set."""
    kept = tuple(PREFIX + each for each in _OF_WEB)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(PREFIX) or name.startswith(kept)
    }
    for name, value in (("SERVER", server), ("TOKEN", token)):
        if value:
            environment.setdefault(PREFIX + name, value)
    return environment
