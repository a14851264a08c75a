"""Tasks that run as long as the service does. One that ends by itself is a failure of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

import structlog

log = structlog.get_logger(__name__)


class BackgroundFailed(Exception):
    """A task that should run for ever has ended."""


class Background:
    """``async with Background() as background: background.start("feed", feed.run())``; cancels them in the end.

    Not an asyncio.TaskGroup: that must be left by the task that entered it, which a server's start and stop (and a
    test's) need not be.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure.done() and not self._failure.cancelled():
            self._failure.exception()
        self._failure.cancel()

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    def leave_to_end(self, task: asyncio.Task[None]) -> None:
        """From now on this task may end without that being a failure."""
        task.remove_done_callback(self._ended)

    async def wait(self) -> None:
        """Until a task ends by itself: then raises BackgroundFailed."""
        await asyncio.shield(self._failure)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._closing or task.cancelled():
            return
        error = task.exception()
        log.error("background_task_ended", task=task.get_name(), exc_info=error)
        if not self._failure.done():
            failure = BackgroundFailed(f"{task.get_name()} ended: {error or 'without an error'}")
            failure.__cause__ = error
            self._failure.set_exception(failure)
