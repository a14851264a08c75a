"""The service as a process of its own, on a database that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import environment_of
from demo.processes import Part, running


@contextmanager
def serving(roles: str, conninfo: str, folder: Path) -> Iterator[Part]:
    """``folder`` is its data folder; ``ready["api"]`` of what it yields is the address of its API."""
    folder.mkdir(exist_ok=True)
    arguments, environment = ["serve", "--roles", roles, "--json"], environment_of(folder, conninfo)
    with running("service", arguments, environment=environment, log_file=folder / f"{roles}.log") as part:
        yield part
