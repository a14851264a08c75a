"""What all reading calls share: waiting for a position, and streams that end when the server stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpc.aio import ServicerContext

from service.api.dependencies import Core
from service.api.refusals import Stopping
from service.domain.errors import InvalidField
from service.ports.projections import ProjectionBehind, ProjectionName

SOON_SECONDS = 1.0

# Clients accept messages of up to 4 MiB unless they are told otherwise.
MAX_STREAM_MESSAGE_BYTES = 3 * 2**20

T = TypeVar("T")
V = TypeVar("V")
M = TypeVar("M", bound=Message)


def patience_seconds(core: Core, context: ServicerContext[Any, Any]) -> float:
    """How long a call may wait, so that its answer still arrives before its deadline."""
    remaining: float | None = context.time_remaining()
    return core.max_wait_seconds if remaining is None else max(0.0, min(core.max_wait_seconds, remaining * 0.9))


async def wait_until(
    core: Core, projection: ProjectionName, position: int, context: ServicerContext[Any, Any]
) -> None:
    """Until ``projection`` includes ``position``. Raises ProjectionBehind; InvalidField for one that cannot be."""
    if position < 0:
        raise InvalidField("at_least_position", f"must be 0 or a position that an answer carried, not {position}")
    if position == 0:
        return
    patience = patience_seconds(core, context)
    with contextlib.suppress(ProjectionBehind):
        await core.waiter.wait(projection, position, timeout_seconds=min(SOON_SECONDS, patience))
        return
    # It takes longer than usual. Only now the log is asked whether there is anything to wait for.
    head = await core.history.head()
    if position > head:
        raise InvalidField("at_least_position", f"is beyond the end of the log, which is at {head}")
    await core.waiter.wait(projection, position, timeout_seconds=max(0.0, patience - SOON_SECONDS))


async def catch_up(core: Core, projection: ProjectionName, context: ServicerContext[Any, Any]) -> None:
    """Until ``projection`` includes all that is in the log now. Raises ProjectionBehind."""
    await core.waiter.wait(projection, await core.history.head(), timeout_seconds=patience_seconds(core, context))


async def until_stopping(source: AsyncIterator[T], stopping: asyncio.Event) -> AsyncGenerator[T, None]:
    """What ``source`` yields. Raises Stopping when the server stops, also while the source is silent."""
    stopped = asyncio.create_task(stopping.wait())
    upcoming: asyncio.Task[T | _End] | None = None
    try:
        while True:
            upcoming = asyncio.create_task(_next(source))
            await asyncio.wait({upcoming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.is_set():
                raise Stopping
            found = upcoming.result()
            if isinstance(found, _End):
                return
            yield found
    finally:
        await _give_up(stopped)
        if upcoming is not None:
            await _give_up(upcoming)
        if isinstance(source, AsyncGenerator):
            await source.aclose()


class _End:
    """There is no next one."""


async def _next(source: AsyncIterator[T]) -> T | _End:
    return await anext(source, _End())


async def _give_up(task: asyncio.Task[Any]) -> None:
    """Ends a task whose result nobody wants any more, and waits until it has ended."""
    task.cancel()
    await asyncio.wait({task})


def fitting(
    make: Callable[[Sequence[V]], M], values: Sequence[V], limit_bytes: int = MAX_STREAM_MESSAGE_BYTES
) -> list[M]:
    """Messages that ``make`` makes of ``values``, in order: one of all of them, or as many as it takes for each to be
    no larger than a client accepts. A single value is never divided."""
    message = make(values)
    if len(values) <= 1 or message.ByteSize() <= limit_bytes:
        return [message]
    middle = len(values) // 2
    return [*fitting(make, values[:middle], limit_bytes), *fitting(make, values[middle:], limit_bytes)]
