"""Where the command line writes: results to stdout, progress and problems to stderr.

Everything reads well without colour, in a pipe and on 80 columns. What users wrote is never taken for markup, and
loses the control characters with which it could command a terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import unicodedata
from datetime import datetime
from typing import Any

from rich.console import Console

from clients.sdk import to_dict

PIPE_COLUMNS = 160
"""Nothing is cut to the width of a terminal that is not there."""


def console(*, stderr: bool = False) -> Console:
    """A console that prints what it is given."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PIPE_COLUMNS
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def print_json(result: Any) -> None:
    """One line of JSON on stdout, at once: whoever reads it may be waiting."""
    sys.stdout.write(json.dumps(to_dict(result), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """``text`` on one line, with a mark in place of control and formatting characters (colours, bidi overrides)."""
    flat = " ".join(text.split())
    # Joiners are formatting characters, too, but belong to many emoji and scripts.
    return "".join(
        "\ufffd" if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each not in "\u200c\u200d" else each
        for each in flat
    )


def local_time(moment: datetime | None) -> str:
    """A time for people: to the minute, in their zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def file_size(size_bytes: int) -> str:
    """A size for people."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} KiB"
    return f"{size_bytes / 1024 / 1024:.1f} MiB"


def tolerate_narrow_encodings() -> None:
    """Prints "?" where the terminal's encoding has no such character, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def stop_writing() -> None:
    """After the reader of a pipe has gone: nothing more can be written, nor does it matter."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
