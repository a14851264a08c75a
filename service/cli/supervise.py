"""Child processes that have to run as long as their parent does.

A child is a Python program that prints one line of JSON on stdout when it is ready. One that does not start is the
end of everything, as if the parent itself could not start. One that ends later is started again, after a pause that
grows; if that happens too often, something is wrong that starting again does not mend, and the whole fails loudly.

Children are in sessions of their own, so that Ctrl-C in a terminal reaches the parent alone, which then tells them.
Their standard input is a pipe that nobody writes to: it ends when the parent does, however it dies, and a child that
is told ``--until-stdin-ends`` then stops as on SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import structlog

log = structlog.get_logger(__name__)


class ChildFailed(Exception):
    """A child did not start, or ended too often. What it wrote itself stands on stderr, above."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long and how often. Times in seconds."""

    start_seconds: float = 120.0
    """From the start of a child to its line."""
    stop_seconds: float = 30.0
    """From SIGTERM to SIGKILL; longer than any child's own bound."""
    most_restarts: int = 8
    """Of one child, within ``window_seconds``."""
    window_seconds: float = 300.0
    first_pause_seconds: float = 0.5
    most_pause_seconds: float = 30.0

    def pause_seconds(self, restarts: int) -> float:
        """Before the next start, after so many others of late."""
        return min(self.first_pause_seconds * 2.0**restarts, self.most_pause_seconds)


@dataclass(frozen=True, kw_only=True)
class Program:
    """``python ARGUMENTS`` in ``environment``; ``name`` is for the log."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Supervisor:
    """``async with Supervisor() as supervisor: ready = await supervisor.start(program)``; ends all when left."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(self._stop(name, process) for name, process in self._running.items()))

    @property
    def pids(self) -> dict[str, int]:
        """Of the children that run now, by name."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self, program: Program) -> Mapping[str, Any]:
        """Starts a child and keeps it running; what it said when it was ready. Raises ChildFailed."""
        ready = await self._start(program)
        self._keepers.append(asyncio.create_task(self._keep(program), name=f"keep-{program.name}"))
        return ready

    async def wait(self) -> None:
        """Until a child has ended too often: raises ChildFailed."""
        ended, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for keeper in ended:
            keeper.result()

    async def _start(self, program: Program) -> Mapping[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program.arguments,
            env=dict(program.environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            ready = await self._first_line(program.name, process)
        except BaseException:
            # It may have ended by itself. A start that is cut short loses nothing: nobody was told of it yet.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        self._running[program.name] = process
        log.info("child_ready", child=program.name, pid=process.pid)
        return ready

    async def _first_line(self, name: str, process: asyncio.subprocess.Process) -> Mapping[str, Any]:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._patience.start_seconds):
                line = await process.stdout.readline()
                code = None if line else await process.wait()
        except TimeoutError:
            raise ChildFailed(f"{name} was not ready after {self._patience.start_seconds:g} seconds") from None
        if not line:
            raise ChildFailed(f"{name} did not start and {_ended(code)}; why, it said above")
        ready: Mapping[str, Any] = json.loads(line)
        return ready

    async def _keep(self, program: Program) -> None:
        starts: deque[float] = deque()
        while True:
            why = _ended(await _end_of(self._running[program.name]))
            del self._running[program.name]
            log.error("child_ended", child=program.name, why=why)
            while program.name not in self._running:
                await self._pause(program.name, starts, why)
                try:
                    await self._start(program)
                except ChildFailed as error:
                    why = "did not start again"
                    log.error("child_start_failed", child=program.name, why=str(error))

    async def _pause(self, name: str, starts: deque[float], why: str) -> None:
        """Before the next start; notes it. Raises ChildFailed when there have been too many."""
        patience = self._patience
        while starts and starts[0] < time.monotonic() - patience.window_seconds:
            starts.popleft()
        if len(starts) >= patience.most_restarts:
            raise ChildFailed(
                f"{name} was started again {len(starts)} times within {patience.window_seconds:g} seconds, and "
                f"{why} once more; why, it said above"
            )
        await asyncio.sleep(patience.pause_seconds(len(starts)))
        starts.append(time.monotonic())

    async def _stop(self, name: str, process: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(self._patience.stop_seconds):
                await _end_of(process)
        except TimeoutError:
            log.error("child_does_not_stop", child=name, after_seconds=self._patience.stop_seconds)
            process.kill()
            await process.wait()


async def _end_of(process: asyncio.subprocess.Process) -> int:
    """Its exit code, when it has one. What it prints meanwhile is thrown away, so that no pipe fills up."""
    assert process.stdout is not None
    while await process.stdout.read(2**16):
        continue
    return await process.wait()


def _ended(code: int | None) -> str:
    return f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
