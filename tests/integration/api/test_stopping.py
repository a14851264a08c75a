"""How an API stops: health is told first, new calls are refused, those that run may finish, for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from triptych.v1 import credit_service_pb2, gallery_service_pb2

from service.api.server import ApiServer, ServerOptions, build_server
from tests.support.api import BOUND_SECONDS, Api, bounded, fresh_name, picture
from tests.support.grpc_errors import refusal_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def stoppable(api: Api) -> AsyncIterator[tuple[ApiServer, Api, grpc.aio.Channel]]:
    """A server of its own that a test may stop, and a client of it."""
    server = build_server(api.core, ServerOptions(port=0))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield server, Api(api.core, channel, server.address), channel
    finally:
        await server.stop(grace_seconds=0.0)


class Upload:
    """A call that runs until the test ends it: a picture that is sent in two parts."""

    def __init__(self, client: Api) -> None:
        self.content = picture(size=(64, 64))
        self.call = client.gallery.UploadMedia(timeout=BOUND_SECONDS * 2)

    async def begin(self) -> None:
        metadata = gallery_service_pb2.UploadMediaRequest.Metadata(user_id=fresh_name(), size_bytes=len(self.content))
        await self.call.write(gallery_service_pb2.UploadMediaRequest(metadata=metadata))
        await self.call.write(gallery_service_pb2.UploadMediaRequest(chunk=self.content[:100]))

    async def finish(self) -> Any:
        await self.call.write(gallery_service_pb2.UploadMediaRequest(chunk=self.content[100:]))
        await self.call.done_writing()
        return await self.call


async def test_health_is_told_first_and_running_calls_finish_while_new_ones_are_refused(api: Api) -> None:
    async with stoppable(api) as (server, client, channel):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        health = stub.Watch(health_pb2.HealthCheckRequest(), timeout=BOUND_SECONDS * 2)
        assert (await bounded(aiter(health))).status == SERVING
        upload = Upload(client)
        await upload.begin()
        account = credit_service_pb2.GetAccountRequest(user_id=fresh_name())
        await client.credits.GetAccount(account, timeout=BOUND_SECONDS)  # What was sent before this has arrived.

        stopping = asyncio.create_task(server.stop(grace_seconds=BOUND_SECONDS))
        assert (await bounded(aiter(health))).status == NOT_SERVING
        health.cancel()
        refusal = await refusal_of(_refused(client))
        assert refusal.code is grpc.StatusCode.UNAVAILABLE
        assert not stopping.done()
        kept = await upload.finish()
        assert kept.size_bytes == len(upload.content)
        await asyncio.wait_for(stopping, BOUND_SECONDS)


async def _refused(client: Api) -> None:
    """The first call that is refused: one that was let in before the server stopped may still come through."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            request = credit_service_pb2.GetAccountRequest(user_id=fresh_name())
            await client.credits.GetAccount(request, timeout=BOUND_SECONDS)


async def test_calls_that_take_longer_than_the_grace_are_cut_off_so_that_clients_try_again(api: Api) -> None:
    async with stoppable(api) as (server, client, _):
        upload = Upload(client)
        await upload.begin()
        account = credit_service_pb2.GetAccountRequest(user_id=fresh_name())
        await client.credits.GetAccount(account, timeout=BOUND_SECONDS)
        await asyncio.wait_for(server.stop(grace_seconds=0.1), BOUND_SECONDS)
        async with asyncio.timeout(BOUND_SECONDS):
            assert await upload.call.code() is grpc.StatusCode.UNAVAILABLE
