"""Callers of the API in a process of their own, as a product's back ends are.

    python -m benchmarks.grpc_callers

It reads orders from standard input, a line of JSON each, and answers each with a line. The same process calls
Triptych and the bare server: typed stubs, one channel an order, every caller one call after the other.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import msgspec
import uvloop
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2, history_service_pb2
from triptych.v1.credit_service_pb2_grpc import CreditServiceStub
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub
from triptych.v1.generation_service_pb2_grpc import GenerationServiceStub
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from benchmarks.case import Figure
from benchmarks.figures import percentile
from benchmarks.side_process import SideProcess, side_process

PROMPT = "a lighthouse on a cliff in a storm, seen from a fishing boat, late evening light, oil on canvas"
PAGE_SIZE = 24
CALL_TIMEOUT_SECONDS = 60.0

Call = Callable[[str], Awaitable[int]]
"""Calls once for a user; how many things came."""


class Order(msgspec.Struct, frozen=True):
    """``callers`` call a method for ``seconds``, at least once each; they speak for the users in turn."""

    address: str
    method: str
    users: Sequence[str]
    callers: int
    seconds: float
    page_token: str = ""


class Result(msgspec.Struct, frozen=True):
    """``items`` that came in ``seconds``, and how long each call took."""

    items: int
    seconds: float
    latencies_seconds: list[float]

    @property
    def rate(self) -> Figure:
        """Items a second, with the calls' times."""
        return Figure(
            self.items / self.seconds, {"p50, ms": self.milliseconds(0.5), "p99, ms": self.milliseconds(0.99)}
        )

    def milliseconds(self, share: float) -> float:
        """The time that this share of the calls did not exceed."""
        return 1000 * percentile(self.latencies_seconds, share)


class Callers:
    """The process; made by ``calling``."""

    def __init__(self, process: SideProcess) -> None:
        self._process = process

    async def carry_out(self, order: Order) -> Result:
        """Raises EOFError when the process has ended; what it wrote to standard error says why."""
        return msgspec.json.decode(await self._process.ask(msgspec.json.encode(order)), type=Result)


@asynccontextmanager
async def calling() -> AsyncIterator[Callers]:
    """A process of callers, for as long as the block."""
    async with side_process("benchmarks.grpc_callers") as process:
        yield Callers(process)


def calls_of(channel: grpc.aio.Channel, page_token: str) -> dict[str, Call]:
    """By the method's name."""
    generations, credits = GenerationServiceStub(channel), CreditServiceStub(channel)
    gallery, history = GalleryServiceStub(channel), HistoryServiceStub(channel)
    run, numbers = uuid.uuid4().hex[:12], itertools.count()

    async def request_generation(user: str) -> int:
        request = generation_service_pb2.RequestGenerationRequest(
            request_id=f"{run}-{next(numbers):07}", user_id=user, type="imagen4", prompt=PROMPT
        )
        await generations.RequestGeneration(request, timeout=CALL_TIMEOUT_SECONDS)
        return 1

    async def get_account(user: str) -> int:
        await credits.GetAccount(credit_service_pb2.GetAccountRequest(user_id=user), timeout=CALL_TIMEOUT_SECONDS)
        return 1

    async def list_items(user: str) -> int:
        request = gallery_service_pb2.ListItemsRequest(user_id=user, page_size=PAGE_SIZE, page_token=page_token)
        await gallery.ListItems(request, timeout=CALL_TIMEOUT_SECONDS)
        return 1

    async def stream_items(user: str) -> int:
        request = gallery_service_pb2.StreamItemsRequest(user_id=user)
        return sum([len(page.items) async for page in gallery.StreamItems(request, timeout=CALL_TIMEOUT_SECONDS)])

    async def replay_events(_user: str) -> int:
        request = history_service_pb2.ReplayEventsRequest()
        return sum([len(page.events) async for page in history.ReplayEvents(request, timeout=CALL_TIMEOUT_SECONDS)])

    return {
        "RequestGeneration": request_generation,
        "GetAccount": get_account,
        "ListItems": list_items,
        "StreamItems": stream_items,
        "ReplayEvents": replay_events,
    }


async def carry_out(order: Order) -> Result:
    """In the callers' process."""
    async with grpc.aio.insecure_channel(order.address) as channel:
        await asyncio.wait_for(channel.channel_ready(), CALL_TIMEOUT_SECONDS)
        call = calls_of(channel, order.page_token)[order.method]
        latencies: list[float] = []
        items = 0
        started = time.perf_counter()

        async def keep_calling(user: str) -> None:
            nonlocal items
            now = time.perf_counter()
            while True:
                came = await call(user)
                items += came  # not in one: others add to it during the call
                before, now = now, time.perf_counter()
                latencies.append(now - before)
                if now >= started + order.seconds:
                    return

        users = itertools.cycle(order.users)
        await asyncio.gather(*(keep_calling(next(users)) for _ in range(order.callers)))
        return Result(items, time.perf_counter() - started, latencies)


def main() -> None:
    for line in sys.stdin.buffer:
        result = uvloop.run(carry_out(msgspec.json.decode(line, type=Order)))
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
