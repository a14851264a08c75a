"""A module of the benchmarks as a process of its own, which answers each line on its standard input with a line."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

STOP_TIMEOUT_SECONDS = 10.0
LONGEST_LINE_BYTES = 64 * 2**20


class SideProcess:
    """Made by ``side_process``."""

    def __init__(self, module: str, process: Process) -> None:
        self._module = module
        self._process = process

    async def ask(self, line: bytes) -> bytes:
        """Raises EOFError when the process has ended; what it wrote to standard error says why."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(line + b"\n")
        answer = await stdout.readline()
        if not answer:
            raise EOFError(f"the process {self._module} has ended")
        return answer


@asynccontextmanager
async def side_process(module: str) -> AsyncIterator[SideProcess]:
    """``python -m MODULE``, for as long as the block."""
    command = [sys.executable, "-m", module]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE_BYTES)
    try:
        yield SideProcess(module, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()  # which ends it
        async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
            await process.wait()
