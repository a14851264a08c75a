"""The whole service as real processes, for tests of what its callers see: sandbox, service, database.

One a test process; tests keep apart by user ids of their own (``new_user``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.processes import Part, running
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.postgres import PostgresServer, short_folder

# Quick vendors and quick looks: tests wait for things, not for the sandbox's theatre.
SANDBOX_ARGUMENTS = ("--json", "--speed", "50", "--picture-side", "256")
QUICK = {
    "TRIPTYCH_FIRST_LOOK_SECONDS": "0.1",
    "TRIPTYCH_MOST_LOOK_SECONDS": "0.5",
    "TRIPTYCH_LOG_FORMAT": "json",
}


@dataclass(frozen=True)
class RunningSystem:
    """Where everything is. ``environment`` sets up a further process of the same service."""

    address: str
    control_url: str
    environment: Mapping[str, str]
    data_dir: Path
    conninfo: str
    """Of the read models, and of the log unless that is in KurrentDB."""
    service: Part
    sandbox: Part


def new_user() -> str:
    """A user nobody has seen yet."""
    return f"user-{uuid.uuid4().hex[:12]}"


@contextmanager
def running_sandbox_process(folder: Path, more: Sequence[str] = ()) -> Iterator[tuple[Part, dict[str, str]]]:
    """The sandbox, and the settings that point the service at it; ``more`` arguments go over the quick ones."""
    arguments = [*SANDBOX_ARGUMENTS, "--ca-file", str(folder / "ca.pem"), *more]
    with running("sandbox", arguments, environment={}, log_file=folder / "sandbox.log") as sandbox:
        settings = {name: value for name, value in sandbox.ready.items() if name.startswith("TRIPTYCH_")}
        yield sandbox, settings


@contextmanager
def running_system(
    server: PostgresServer,
    template: str,
    settings: Mapping[str, str] | None = None,
    *,
    event_store: KurrentDBProcess | None = None,
) -> Iterator[RunningSystem]:
    """Everything, on a database of its own; ``settings`` over the quick ones. ``event_store``: what has the log in
    place of that database."""
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        name = server.create_database(template=template)
        stack.callback(server.drop_database, name)
        sandbox, vendors = stack.enter_context(running_sandbox_process(folder))
        conninfo = server.conninfo_for(name)
        environment = {
            **QUICK,
            **vendors,
            "TRIPTYCH_DATA_DIR": str(folder / "data"),
            "TRIPTYCH_EVENT_STORE": conninfo,
            "TRIPTYCH_API_PORT": "0",
            **(settings or {}),
        }
        if event_store is not None:
            environment |= {"TRIPTYCH_EVENT_STORE": event_store.connection_string, "TRIPTYCH_READ_MODELS": conninfo}
        service = stack.enter_context(
            running("service", ["serve", "--json"], environment=environment, log_file=folder / "service.log")
        )
        yield RunningSystem(
            address=service.ready["api"],
            control_url=sandbox.ready["SANDBOX_CONTROL_URL"],
            environment=environment,
            data_dir=folder / "data",
            conninfo=conninfo,
            service=service,
            sandbox=sandbox,
        )
