"""Settings are read from the process's environment: here it is only what a test puts there."""

from __future__ import annotations

import os

import pytest

from service.config.settings import PREFIX


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    return monkeypatch
