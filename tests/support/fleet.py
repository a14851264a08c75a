"""The service as several processes on one data folder, each of which can be killed and started again.

    owner         webhook, and api and projector if nobody else has them; owns the embedded PostgreSQL, which keeps
                  its fsync
    api-N         api (where asked for)
    projector-N   projector (where asked for)
    worker-N      worker; reaches that PostgreSQL through its socket, as all but the owner do
    sandbox       the vendors; never killed, because what it remembers is the evidence
    KurrentDB     if asked for, a server of its protocol has the log, and PostgreSQL only the read models

The fleet plays the supervisor: ``start`` tries again while a process cannot come up because PostgreSQL is away. The
APIs and the webhook endpoint are reached through relays, so that their addresses outlive their processes; each API
has a relay, which leads to another API while its own is away. Leaving the fleet ends every process, also those that
an exception left behind.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import psutil
from psycopg.conninfo import conninfo_to_dict

from demo.processes import Part, StartFailed, running
from service.adapters.embedded import running_conninfo
from service.adapters.embedded.folder import Postmaster, find_postmaster
from tests.support.kurrentdb.process import KurrentDBProcess
from tests.support.postgres import short_folder
from tests.support.relay import Relay
from tests.support.system import running_sandbox_process

PATIENCE_SECONDS = 120.0
OWNER = "owner"

_LOOK_SECONDS = 0.05
_START_ATTEMPTS = 10
_QUICK: Mapping[str, str] = {
    "TRIPTYCH_LEASE_SECONDS": "3",
    "TRIPTYCH_FIRST_LOOK_SECONDS": "0.2",
    "TRIPTYCH_MOST_LOOK_SECONDS": "1",
    "TRIPTYCH_SUBMISSION_GRACE_SECONDS": "5",
    "TRIPTYCH_TOOL_PATIENCE_SECONDS": "10",
    "TRIPTYCH_MEDIA_PATIENCE_SECONDS": "3",
    "TRIPTYCH_LOG_FORMAT": "json",
    "TRIPTYCH_API_PORT": "0",
    "TRIPTYCH_WEBHOOK_PORT": "0",
}


def catalog_with_deadlines(deadline_seconds: int) -> str:
    """The built-in catalog in which every type has this deadline."""
    text = resources.files("service").joinpath("catalog.toml").read_text("utf-8")
    return re.sub(r"deadline_seconds = \d+", f"deadline_seconds = {deadline_seconds}", text)


class Fleet:
    """Made by ``running_fleet``. Methods that wait do so in threads, so that the caller's loop goes on."""

    def __init__(self, folder: Path, environment: Mapping[str, str], sandbox: Part) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.media_dir = self.data_dir / "media"
        self.control_url: str = sandbox.ready["SANDBOX_CONTROL_URL"]
        self.apis: dict[str, Relay] = {}
        """By the name of the process that each leads to first."""
        self.webhook = Relay()
        self.kurrentdb: KurrentDBProcess | None = None
        self.environment = dict(environment)
        self.roles: dict[str, str] = {}
        self._members: dict[str, tuple[ExitStack, Part]] = {}

    @property
    def api(self) -> Relay:
        """The first."""
        return next(iter(self.apis.values()))

    def having(self, role: str) -> list[str]:
        """The names of those that have it."""
        return [name for name, roles in self.roles.items() if role in roles.split(",")]

    @property
    def workers(self) -> list[str]:
        return self.having("worker")

    async def start(self, name: str) -> None:
        """Until it is ready. Raises StartFailed after a bounded number of attempts."""
        for attempt in range(1, _START_ATTEMPTS + 1):
            starting = asyncio.create_task(asyncio.to_thread(self._start, name))
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                # The thread cannot be cancelled: let it end, so that what it started is known and can be ended.
                await asyncio.wait([starting])
                raise
            except StartFailed:
                if attempt == _START_ATTEMPTS:
                    raise
                await self.postgres_ready()
            else:
                return

    def _start(self, name: str) -> None:
        stack = ExitStack()
        part = stack.enter_context(
            running(
                "service",
                ["serve", "--json", "--roles", self.roles[name]],
                environment=self._environment_of(name),
                log_file=self.log_of(name),
            )
        )
        self._members[name] = stack, part
        self._lead_callers()
        if name == OWNER:
            self.webhook.target = part.ready["webhook"]

    def _lead_callers(self) -> None:
        up = {name: part.ready["api"] for name, (_, part) in self._members.items() if name in self.apis}
        for name, relay in self.apis.items():
            relay.targets = [up[each] for each in sorted(up, key=lambda each: each != name)]

    def _environment_of(self, name: str) -> dict[str, str]:
        environment = dict(self.environment)
        if self.kurrentdb is not None:
            environment["TRIPTYCH_EVENT_STORE"] = self.kurrentdb.connection_string
        if name != OWNER:
            environment["TRIPTYCH_READ_MODELS" if self.kurrentdb else "TRIPTYCH_EVENT_STORE"] = self.conninfo()
        return environment

    def log_of(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def conninfo(self) -> str:
        """How to reach the PostgreSQL through its socket; the same after every restart."""
        found = running_conninfo(self.data_dir)
        if found is None:
            raise StartFailed("PostgreSQL does not run")
        assert conninfo_to_dict(found)["dbname"]
        return found

    def postmaster(self) -> Postmaster | None:
        return find_postmaster(self.data_dir / "postgres")

    async def postgres_ready(self, *, after_pid: int = 0) -> None:
        """Until a PostgreSQL answers that is not ``after_pid``, or nobody is there to start one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while OWNER in self._members:
                found = self.postmaster()
                if found is not None and found.ready and found.pid != after_pid:
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def kill(self, name: str) -> None:
        """kill -9, and waits until it is gone."""
        stack, part = self._members.pop(name)
        part.kill()
        self._lead_callers()
        await asyncio.to_thread(stack.close)

    async def stop(self, name: str) -> int:
        """SIGTERM, and waits until it has ended; its exit code."""
        stack, part = self._members.pop(name)
        part.process.terminate()
        await asyncio.to_thread(part.process.wait, PATIENCE_SECONDS)
        self._lead_callers()
        await asyncio.to_thread(stack.close)
        return part.process.returncode

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP: it is there, its connections stay open, and it does nothing until the block ends."""
        process = self._members[name][1].process
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    async def kill_postgres(self) -> int:
        """kill -9 of the postmaster while the service runs; its pid. The owner starts another."""
        found = self.postmaster()
        if found is None:
            return 0
        psutil.Process(found.pid).kill()
        return found.pid

    async def kill_kurrentdb(self) -> None:
        """kill -9; what was acknowledged is in its file."""
        if self.kurrentdb is not None:
            await asyncio.to_thread(self.kurrentdb.kill)

    async def start_kurrentdb(self) -> None:
        if self.kurrentdb is not None:
            await asyncio.to_thread(self.kurrentdb.start)

    def ended_by_themselves(self) -> dict[str, int]:
        """Exit codes of members that nobody killed; there should be none."""
        codes = {name: part.process.poll() for name, (_, part) in self._members.items()}
        return {name: code for name, code in codes.items() if code is not None}

    async def triptychd(self, *arguments: str) -> tuple[int, str, str]:
        """Runs a command of ``triptychd`` beside the fleet: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **self._environment_of("a command")},
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode(), err.decode()

    async def doctor(self) -> dict[str, Any]:
        """What ``triptychd doctor --json`` says, with its exit code as ``exit_code``."""
        code, out, err = await self.triptychd("doctor", "--json")
        try:
            report: dict[str, Any] = json.loads(out)
        except ValueError as error:
            raise AssertionError(f"triptychd doctor ended with {code} and wrote: {out}{err}") from error
        return report | {"exit_code": code}

    def logs(self, lines: int = 30) -> str:
        """The last lines of every log, for a failure's report."""
        parts = []
        for file in sorted(self.folder.glob("*.log")):
            tail = "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
            parts.append(f"--- {file.name}\n{tail}")
        return "\n".join(parts)

    def close(self) -> None:
        """Ends everything: workers first, as they need the owner's PostgreSQL, and that PostgreSQL last."""
        for name in sorted(self._members, key=lambda each: each == OWNER):
            stack, part = self._members.pop(name)
            if name != OWNER:
                part.kill()
            stack.close()
        left = self.postmaster()
        if left is not None:  # its owner was killed and not started again
            process = psutil.Process(left.pid)
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(30)
            except psutil.TimeoutExpired:
                process.kill()


def roles_of(*, workers: int, apis: int, projectors: int) -> dict[str, str]:
    """What each process does, by name."""
    own = ["webhook", *(["api"] if apis == 0 else []), *(["projector"] if projectors < 2 else [])]
    return {
        OWNER: ",".join(own),
        **{f"api-{number}": "api" for number in range(1, apis + 1)},
        **{f"projector-{number}": "projector" for number in range(1, projectors + 1)},
        **{f"worker-{number}": "worker" for number in range(1, workers + 1)},
    }


@asynccontextmanager
async def running_fleet(
    *,
    workers: int = 2,
    apis: int = 0,
    projectors: int = 0,
    deadline_seconds: int = 30,
    sandbox_arguments: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    kurrentdb: bool = False,
) -> AsyncIterator[Fleet]:
    """A fleet that is up; ``settings`` over the quick ones, all processes ended in the end.

    ``kurrentdb``: the log is in a server of KurrentDB's protocol. Without ``apis`` the owner has the role api, and
    without more than one of the ``projectors`` the role projector.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(short_folder())
        sandbox, vendors = stack.enter_context(running_sandbox_process(folder, sandbox_arguments))
        catalog = folder / "catalog.toml"
        catalog.write_text(catalog_with_deadlines(deadline_seconds), "utf-8")
        fleet = Fleet(folder, {**_QUICK, **vendors}, sandbox)
        await stack.enter_async_context(fleet.webhook)
        if kurrentdb:
            fleet.kurrentdb = stack.enter_context(KurrentDBProcess(folder))
        fleet.environment |= {
            "TRIPTYCH_DATA_DIR": str(fleet.data_dir),
            "TRIPTYCH_CATALOG_FILE": str(catalog),
            "TRIPTYCH_WEBHOOK_PUBLIC_URL": f"http://{fleet.webhook.address}",
            **(settings or {}),
        }
        fleet.roles = roles_of(workers=workers, apis=apis, projectors=projectors)
        for name in fleet.having("api"):
            fleet.apis[name] = await stack.enter_async_context(Relay())
        stack.push_async_callback(asyncio.to_thread, fleet.close)
        await fleet.start(OWNER)
        async with asyncio.TaskGroup() as group:
            for name in fleet.roles:
                if name != OWNER:
                    group.create_task(fleet.start(name))
        yield fleet
