"""Single calls over gRPC, beside a bare ``grpc.aio`` server that answers with the same bytes.

The service runs as one process with the role ``api``, the bare server as one process, and one process calls either of
them in turn (``grpc_callers.py``, ``echo.py``). In a further row the service's process also keeps the read models,
as a single process does where nothing is configured: each request is then projected by the same process, four times.

A request appends two events, the debit and the request, and is answered when they are on disk (fsync on).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

import grpc
from google.protobuf.message import Message
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2

from benchmarks.bench import Bench
from benchmarks.case import Case, Figure, Kind, Round, Rounds, Row, in_turns
from benchmarks.echo import Recorded, record, running_echo
from benchmarks.galleries import fill
from benchmarks.grpc_callers import PAGE_SIZE, PROMPT, Callers, Order, calling
from benchmarks.serving import serving

USERS = 256
ITEMS = 2 * PAGE_SIZE
WARM_UP_SECONDS = 0.3
ECHO = "a bare grpc.aio server, same bytes"


class Variant(NamedTuple):
    """One row."""

    name: str
    method: str
    callers: int
    users: int
    reach: float | None = None
    projecting: bool = False

    @property
    def row(self) -> Row:
        who = "1 caller" if self.callers == 1 else f"{self.callers} callers, {self.users} users"
        if self.users == 1 < self.callers:
            who = f"{self.callers} callers, all for one user"
        what = f"{self.method}, {who}{', the same process projects' if self.projecting else ''}"
        return Row(f"grpc/{self.name}", what, ECHO, Kind.RATE, "calls/s", self.reach)


VARIANTS = [
    Variant("request/1", "RequestGeneration", 1, 1),
    Variant("request/16", "RequestGeneration", 16, 16),
    Variant("request/64", "RequestGeneration", 64, 64, 0.5),
    Variant("request/256", "RequestGeneration", 256, 256),
    Variant("request/64-one-user", "RequestGeneration", 64, 1),
    Variant("account/64", "GetAccount", 64, 64, 0.6),
    Variant("items/64", "ListItems", 64, 64, 0.6),
]
PROJECTING = Variant("request/64-projecting", "RequestGeneration", 64, 64, projecting=True)


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "unary"
    bench.tell("making galleries to list")
    users = [f"user-{number}" for number in range(USERS)]
    await fill(conninfo, dict.fromkeys(users, ITEMS), folder)
    async with AsyncExitStack() as stack:
        callers = await stack.enter_async_context(calling())
        service = stack.enter_context(serving("api", conninfo, folder)).ready["api"]
        echo = stack.enter_context(running_echo(await answers(service, users[0]), folder))
        for variant in VARIANTS:
            async for each in _compare(bench, callers, variant, Addresses(service, echo), users):
                yield each
        service = stack.enter_context(serving("api,projector", conninfo, folder)).ready["api"]
        async for each in _compare(bench, callers, PROJECTING, Addresses(service, echo), users):
            yield each


class Addresses(NamedTuple):
    service: str
    echo: str


async def _compare(
    bench: Bench, callers: Callers, variant: Variant, addresses: Addresses, users: list[str]
) -> AsyncIterator[Round]:
    async def call(address: str, seconds: float) -> Figure:
        order = Order(address, variant.method, users[: variant.users], variant.callers, seconds)
        return (await callers.carry_out(order)).rate

    for address in addresses:
        await call(address, WARM_UP_SECONDS)
    seconds = bench.size(full=2.0, quick=0.4)
    ours, theirs = partial(call, addresses.service, seconds), partial(call, addresses.echo, seconds)
    async for each in in_turns(bench, variant.row.name, ours, theirs):
        yield each


async def answers(address: str, user_id: str) -> dict[str, Recorded]:
    """What the service answers to the calls that are measured."""
    requests: dict[str, Message] = {
        "/triptych.v1.GenerationService/RequestGeneration": generation_service_pb2.RequestGenerationRequest(
            request_id="recorded", user_id=user_id, type="imagen4", prompt=PROMPT
        ),
        "/triptych.v1.CreditService/GetAccount": credit_service_pb2.GetAccountRequest(user_id=user_id),
        "/triptych.v1.GalleryService/ListItems": gallery_service_pb2.ListItemsRequest(
            user_id=user_id, page_size=PAGE_SIZE
        ),
    }
    async with grpc.aio.insecure_channel(address) as channel:
        return {method: await record(channel, method, request) for method, request in requests.items()}


CASE = Case(
    "grpc",
    [each.row for each in (*VARIANTS, PROJECTING)],
    measure,
    title="Calls over gRPC",
    rounds=Rounds(full=3, quick=1),
)
