"""Work beside the event loop: threads for drawing, tasks that can all be stopped, pauses that end on closing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger("sandbox")


async def in_executor(executor: Executor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs blocking work in the sandbox's own threads."""
    return await asyncio.get_running_loop().run_in_executor(executor, lambda: function(*args, **kwargs))


class Background:
    """The tasks of one sandbox. Closing it stops them all and ends every pause."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def closing(self) -> bool:
        return self._closing.is_set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs ``work`` beside the servers; what it raises is logged as the sandbox's own defect."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A task of the sandbox failed: %r", error, exc_info=error)

    async def pause(self, seconds: float) -> None:
        """Waits ``seconds``, or less if the sandbox closes."""
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    def end_pauses(self) -> None:
        self._closing.set()

    async def close(self) -> None:
        self.end_pauses()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
