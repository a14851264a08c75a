"""What handlers raise, and who calls them, over a real server and a real channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from grpc.aio import AioRpcError, ServicerContext
from structlog.testing import capture_logs
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import (
    GalleryServiceServicer,
    GalleryServiceStub,
    add_GalleryServiceServicer_to_server,
)

from service.api.auth import CallerInterceptor, Tokens
from service.api.caller import CALLER
from service.api.error_interceptor import ErrorInterceptor
from service.domain.errors import InsufficientCredits, InvalidField, NotFound
from tests.support.grpc_errors import read_refusal, refusal_of

BOUND_SECONDS = 60.0
TOKENS = {"bot": "token-of-the-bot-1", "billing": "token-of-billing-1"}

Call = ServicerContext[Any, Any]


class Gallery(GalleryServiceServicer):
    """Handlers of each kind that raise on request, and one that tells who calls."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def GetItem(self, request: pb.GetItemRequest, context: Call) -> pb.GetItemResponse:
        if request.item_id == "defect":
            raise RuntimeError("password is hunter2")
        if request.item_id:
            raise NotFound("item", request.item_id)
        caller = CALLER.get()
        response = pb.GetItemResponse()
        response.item.user_id = caller.context.actor
        response.item.prompt = caller.context.traceparent
        return response

    async def StreamItems(
        self, request: pb.StreamItemsRequest, context: Call
    ) -> AsyncIterator[pb.StreamItemsResponse]:
        if request.words == "first":
            raise InsufficientCredits(3, 20)
        yield pb.StreamItemsResponse(position=1)
        if request.words == "later":
            raise InsufficientCredits(3, 20)

    async def WatchItems(self, request: pb.WatchItemsRequest, context: Call) -> AsyncIterator[pb.WatchItemsResponse]:
        yield pb.WatchItemsResponse()
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def UploadMedia(
        self, request_iterator: AsyncIterator[pb.UploadMediaRequest], context: Call
    ) -> pb.UploadMediaResponse:
        async for _ in request_iterator:
            raise InvalidField("metadata", "is missing")
        return pb.UploadMediaResponse()


class Served:
    def __init__(self, gallery: Gallery, channel: grpc.aio.Channel) -> None:
        self.gallery = gallery
        self.stub = GalleryServiceStub(channel)
        self.channel = channel


async def serve(tokens: dict[str, str]) -> AsyncIterator[Served]:
    gallery: Gallery = cast(Any, Gallery)()  # Only what these tests call is there.
    server = grpc.aio.server(interceptors=(ErrorInterceptor(), CallerInterceptor(Tokens(tokens))))
    add_GalleryServiceServicer_to_server(gallery, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Served(gallery, channel)
    await server.stop(None)


@pytest.fixture
async def open_server() -> AsyncIterator[Served]:
    async for served in serve({}):
        yield served


@pytest.fixture
async def guarded_server() -> AsyncIterator[Served]:
    async for served in serve(TOKENS):
        yield served


async def test_refusal_of_a_plain_call(open_server: Served) -> None:
    refusal = await refusal_of(open_server.stub.GetItem(pb.GetItemRequest(item_id="x"), timeout=BOUND_SECONDS))
    assert refusal.code is grpc.StatusCode.NOT_FOUND
    assert refusal.facts == {"resource": "item", "name": "x"}


async def test_refusal_before_the_first_message_of_a_stream(open_server: Served) -> None:
    call = open_server.stub.StreamItems(pb.StreamItemsRequest(words="first"), timeout=BOUND_SECONDS)
    refusal = await refusal_of(call)
    assert (refusal.reason, refusal.facts["balance"]) == ("INSUFFICIENT_CREDITS", "3")


async def test_refusal_in_the_middle_of_a_stream(open_server: Served) -> None:
    call = open_server.stub.StreamItems(pb.StreamItemsRequest(words="later"), timeout=BOUND_SECONDS)
    assert await call.read() == pb.StreamItemsResponse(position=1)
    with pytest.raises(AioRpcError) as caught:
        await call.read()
    assert read_refusal(caught.value).reason == "INSUFFICIENT_CREDITS"


async def test_stream_that_nothing_goes_wrong_with(open_server: Served) -> None:
    call = open_server.stub.StreamItems(pb.StreamItemsRequest(), timeout=BOUND_SECONDS)
    assert [answer.position async for answer in call] == [1]


async def test_refusal_of_an_upload(open_server: Served) -> None:
    call = open_server.stub.UploadMedia(iter([pb.UploadMediaRequest(chunk=b"x")]), timeout=BOUND_SECONDS)
    refusal = await refusal_of(call)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == {"metadata": "is missing"}


async def test_defect_tells_the_caller_an_id_that_is_in_the_log(open_server: Served) -> None:
    with capture_logs() as logs:
        refusal = await refusal_of(
            open_server.stub.GetItem(pb.GetItemRequest(item_id="defect"), timeout=BOUND_SECONDS)
        )
    assert refusal.code is grpc.StatusCode.INTERNAL
    assert "hunter2" not in refusal.message
    assert [entry["error_id"] for entry in logs] == [refusal.facts["error_id"]]


async def test_cancelled_call_is_no_error(open_server: Served) -> None:
    call = open_server.stub.WatchItems(pb.WatchItemsRequest(), timeout=BOUND_SECONDS)
    await call.read()
    with capture_logs() as logs:
        call.cancel()
        async with asyncio.timeout(BOUND_SECONDS):
            await open_server.gallery.cancelled.wait()
    assert logs == []


async def test_method_that_does_not_exist_is_unimplemented(guarded_server: Served) -> None:
    call: Any = guarded_server.channel.unary_unary("/triptych.v1.GalleryService/NoSuchMethod")
    metadata = (("authorization", f"Bearer {TOKENS['bot']}"),)
    with pytest.raises(AioRpcError) as caught:
        await call(b"", metadata=metadata, timeout=BOUND_SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("name", TOKENS)
async def test_caller_is_known_by_the_token(guarded_server: Served, name: str) -> None:
    metadata = (("authorization", f"Bearer {TOKENS[name]}"),)
    response = await guarded_server.stub.GetItem(pb.GetItemRequest(), metadata=metadata, timeout=BOUND_SECONDS)
    assert response.item.user_id == name


@pytest.mark.parametrize(
    ("authorization", "why"),
    [
        (None, "has no token"),
        ("Bearer another-token-than-those", "is not known here"),
        ("Bearer ", "is not known here"),
        ("Basic Ym90OnRva2Vu", "is not a bearer token"),
    ],
)
async def test_stranger_is_refused(guarded_server: Served, authorization: str | None, why: str) -> None:
    metadata = (("authorization", authorization),) if authorization else ()
    refusal = await refusal_of(
        guarded_server.stub.GetItem(pb.GetItemRequest(), metadata=metadata, timeout=BOUND_SECONDS)
    )
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
    assert why in refusal.message


async def test_stranger_is_refused_on_every_kind_of_call(guarded_server: Served) -> None:
    stub = guarded_server.stub
    for call in (
        stub.StreamItems(pb.StreamItemsRequest(), timeout=BOUND_SECONDS),
        stub.UploadMedia(timeout=BOUND_SECONDS),
    ):
        assert (await refusal_of(call)).reason == "UNAUTHENTICATED"


async def test_trace_of_the_caller_is_kept_if_it_is_one(open_server: Served) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    for sent, kept in ((trace, trace), ("nonsense", "")):
        response = await open_server.stub.GetItem(
            pb.GetItemRequest(), metadata=(("traceparent", sent),), timeout=BOUND_SECONDS
        )
        assert (response.item.user_id, response.item.prompt) == ("local", kept)
