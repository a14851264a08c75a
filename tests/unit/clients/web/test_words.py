"""The templates and pages use words that there are."""

from __future__ import annotations

import re
from pathlib import Path

import clients.web
from clients.web.words import WORDS

FOLDER = Path(clients.web.__file__).parent


def test_templates_and_pages_use_words_that_there_are() -> None:
    sources = [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.py"), FOLDER.parent / "looks.py"]
    used = {
        key
        for path in sources
        for key in re.findall(
            r"\b(?:w|words)(?:\.count|\.either)?\(\s*[\"'](\w+)[\"']\s*[,)]", path.read_text("utf-8")
        )
    }
    assert len(used) > 80
    assert [key for key in used if not WORDS["ru"].has(key)] == []
