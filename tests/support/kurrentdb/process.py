"""The server as a process of its own, which can be killed and comes back on the same port with the same log."""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.support.kurrentdb.control import set_faults
from tests.support.kurrentdb.faults import Faults

_PATIENCE_SECONDS = 60.0
_HOST = "127.0.0.1"
_ROOT = Path(__file__).parents[3]


class KurrentDBProcess:
    """``with KurrentDBProcess(folder) as process: process.connection_string``; the log is in ``folder``.

    ``start`` and ``kill`` block; they take well under a second on a quiet machine.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._held.bind((_HOST, 0))
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"{_HOST}:{self._held.getsockname()[1]}"

    @property
    def connection_string(self) -> str:
        return f"kurrentdb://{self.address}?tls=false"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)
        self._held.close()

    def start(self) -> None:
        """Returns when it can be called."""
        port = self.address.rpartition(":")[2]
        arguments = ["--port", port, "--file", str(self._folder / "kurrentdb.log"), "--json"]
        with (self._folder / "kurrentdb.stderr").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.kurrentdb", *arguments],
                cwd=_ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        told, _, _ = select.select([self._process.stdout], [], [], _PATIENCE_SECONDS)
        ready = self._process.stdout.readline() if told else ""
        if not ready:
            self.kill()
            raise RuntimeError(f"the server did not start: {(self._folder / 'kurrentdb.stderr').read_text()}")
        assert json.loads(ready)["address"] == self.address

    def kill(self) -> None:
        """At once, without a chance to tidy up."""
        self._end(signal.SIGKILL)

    async def set_faults(self, **changes: object) -> Faults:
        """As ``KurrentDBServer.faults``, for the running process; a new one starts without."""
        return await set_faults(self.address, **changes)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
