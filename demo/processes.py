"""Starting the parts of the demo as processes of their own, and stopping them whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

READY_TIMEOUT_SECONDS = 120.0
STOP_TIMEOUT_SECONDS = 45.0


class StartFailed(Exception):
    """A part did not start; the message has the last lines that it wrote."""


@dataclass(frozen=True)
class Part:
    """A part that runs: its process, and the JSON line that it printed when it was ready."""

    process: subprocess.Popen[bytes]
    ready: Mapping[str, Any]

    def kill(self) -> None:
        """As a crash does it (SIGKILL), and waits until it is gone."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_SECONDS)


@contextlib.contextmanager
def running(
    module: str, arguments: list[str], *, environment: Mapping[str, str], log_file: Path, before: Sequence[str] = ()
) -> Iterator[Part]:
    """Runs ``python -m module arguments`` until the block ends, then stops it. Raises StartFailed.

    Settings of the surrounding environment are kept out, so that the part is set up by ``environment`` alone.
    ``before`` is put before the command: a program that runs it in another way, such as ``setpriv``.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**surroundings, **environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            yield Part(process, _first_line(process.stdout, module, log_file))
        finally:
            _stop(process)


def _first_line(stdout: IO[bytes] | None, module: str, log_file: Path) -> dict[str, Any]:
    assert stdout is not None
    lines: Queue[bytes] = Queue()

    def read() -> None:
        with stdout:
            for line in stdout:
                lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, daemon=True, name=f"stdout-of-{module}").start()
    try:
        line = lines.get(timeout=READY_TIMEOUT_SECONDS)
    except Empty:
        raise StartFailed(f"{module} was not ready after {READY_TIMEOUT_SECONDS:.0f} s") from None
    if not line:
        tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-15:])
        raise StartFailed(f"{module} did not start. It wrote:\n{tail}")
    ready: dict[str, Any] = json.loads(line)
    return ready


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
