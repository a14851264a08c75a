"""The server itself: who may call, what it says of itself, how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from triptych.v1 import (
    admin_service_pb2,
    credit_service_pb2,
    gallery_service_pb2,
    generation_service_pb2,
    history_service_pb2,
)
from triptych.v1.credit_service_pb2_grpc import CreditServiceStub
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from service.api.server import SERVICE_NAMES, CannotListen, ServerOptions, build_server
from tests.support.api import BOUND_SECONDS, Api, another_server, fresh_name
from tests.support.grpc_errors import refusal_of

TOKENS = {"billing": "token-of-billing-1"}
BEARER = (("authorization", f"Bearer {TOKENS['billing']}"),)


async def health(channel: grpc.aio.Channel, service: str = "", **call: Any) -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=service)
    return int((await stub.Check(request, timeout=BOUND_SECONDS, **call)).status)


async def test_health_is_told_of_the_server_and_of_each_service(api: Api) -> None:
    async with grpc.aio.insecure_channel(api.address) as channel:
        for service in ("", *SERVICE_NAMES):
            assert await health(channel, service) == health_pb2.HealthCheckResponse.SERVING


async def test_calls_that_come_thousands_at_once_are_all_taken(api: Api) -> None:
    async with grpc.aio.insecure_channel(api.address) as channel:
        answers = await asyncio.gather(*(health(channel) for _ in range(4000)))
    assert set(answers) == {health_pb2.HealthCheckResponse.SERVING}


async def test_contract_can_be_asked_for(api: Api) -> None:
    """What a client without the protos sees, with grpc's own reflection client."""

    def ask() -> tuple[set[str], list[str]]:
        with grpc.insecure_channel(api.address) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            pool = descriptor_pool.DescriptorPool(database)
            service = pool.FindServiceByName("triptych.v1.GenerationService")
            return set(database.get_services()), [method.name for method in service.methods]

    services, methods = await asyncio.to_thread(ask)
    assert set(SERVICE_NAMES) < services
    assert "RequestGeneration" in methods


async def test_token_is_asked_for_and_its_holder_is_the_actor(api: Api) -> None:
    async with another_server(api.core, ServerOptions(port=0, tokens=TOKENS)) as guarded:
        user_id = fresh_name()
        grant = credit_service_pb2.GrantCreditsRequest(user_id=user_id, grant_id="g", credits=5)
        refusal = await refusal_of(guarded.credits.GrantCredits(grant, timeout=BOUND_SECONDS))
        assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
        granted = await guarded.credits.GrantCredits(grant, metadata=BEARER, timeout=BOUND_SECONDS)
        async with grpc.aio.insecure_channel(guarded.address) as channel:
            assert await health(channel) == health_pb2.HealthCheckResponse.SERVING
    statement = credit_service_pb2.ListLedgerEntriesRequest(user_id=user_id, at_least_position=granted.position)
    response = await api.credits.ListLedgerEntries(statement, timeout=BOUND_SECONDS)
    assert [entry.actor for entry in response.entries] == ["billing"]


async def test_refund_by_hand_bears_the_callers_name(api: Api) -> None:
    generation = await api.made(await api.user_with(100))
    request = credit_service_pb2.RefundGenerationRequest(generation_id=generation.generation_id, reason="blurred")
    async with another_server(api.core, ServerOptions(port=0, tokens=TOKENS)) as guarded:
        await guarded.credits.RefundGeneration(request, metadata=BEARER, timeout=BOUND_SECONDS)
        refusal = await refusal_of(guarded.credits.RefundGeneration(request, metadata=BEARER, timeout=BOUND_SECONDS))
    assert refusal.facts["actor"] == "billing"


async def test_tls(api: Api) -> None:
    authority = trustme.CA()
    pair = authority.issue_cert("localhost")
    certificate = b"".join(each.bytes() for each in pair.cert_chain_pems)
    options = ServerOptions(port=0, tls_certificate=certificate, tls_key=pair.private_key_pem.bytes())
    async with another_server(api.core, options) as server:
        credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
        target = f"localhost:{server.address.rpartition(':')[2]}"
        async with grpc.aio.secure_channel(target, credentials) as channel:
            stub: Any = HistoryServiceStub(channel)
            await stub.GetHead(history_service_pb2.GetHeadRequest(), timeout=BOUND_SECONDS)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "triptych.example", "127.0.0.1.example"])
async def test_without_tokens_only_loopback_is_listened_on(api: Api, host: str) -> None:
    with pytest.raises(CannotListen, match=r"set TRIPTYCH_API_TOKENS, or TRIPTYCH_API_HOST=127\.0\.0\.1"):
        build_server(api.core, ServerOptions(host=host, port=0))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_by_its_names(api: Api, host: str) -> None:
    async with another_server(api.core, ServerOptions(host=host, port=0)) as server:
        await server.history.GetHead(history_service_pb2.GetHeadRequest(), timeout=BOUND_SECONDS)


async def test_port_that_is_taken_is_refused(api: Api) -> None:
    port = int(api.address.rpartition(":")[2])
    with pytest.raises(CannotListen, match="the port is taken"):
        await build_server(api.core, ServerOptions(port=port)).start()


async def test_certificate_that_is_none_is_refused(api: Api) -> None:
    server = build_server(api.core, ServerOptions(port=0, tls_certificate=b"nonsense", tls_key=b"nonsense"))
    with pytest.raises(CannotListen, match="no pair"):
        await server.start()


async def test_stop_ends_the_streams_and_says_so(api: Api) -> None:
    generation = (await api.request(await api.user_with(100))).generation
    server = build_server(api.core, ServerOptions(port=0))
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        client = Api(api.core, channel, server.address)
        watch = generation_service_pb2.WatchGenerationRequest(generation_id=generation.generation_id)
        streams = [
            client.generations.WatchGeneration(watch, timeout=BOUND_SECONDS * 2),
            client.gallery.WatchItems(
                gallery_service_pb2.WatchItemsRequest(user_id=generation.user_id), timeout=BOUND_SECONDS * 2
            ),
            client.history.ReplayEvents(
                history_service_pb2.ReplayEventsRequest(follow=True), timeout=BOUND_SECONDS * 2
            ),
        ]
        for stream in streams:
            await stream.read()
        # Were they not ended, they would be cut off after the grace, without a reason.
        stopping = asyncio.create_task(server.stop(grace_seconds=BOUND_SECONDS))
        refusals = [await refusal_of(_rest(stream)) for stream in streams]
        await stopping
    assert [refusal.reason for refusal in refusals] == ["STOPPING"] * 3
    assert all(refusal.retry_after_seconds == 1.0 for refusal in refusals)


async def _rest(stream: Any) -> AsyncIterator[Any]:
    while (message := await stream.read()) is not grpc.aio.EOF:
        yield message


async def test_projections_are_listed(api: Api) -> None:
    request = admin_service_pb2.ListProjectionsRequest()
    response = await api.admin.ListProjections(request, timeout=BOUND_SECONDS)
    assert {"gallery", "generations", "credits"} <= {each.name for each in response.projections}
    for each in response.projections:
        assert each.state == admin_service_pb2.Projection.STATE_LIVE
        assert each.serving
        assert each.version >= 1


@pytest.mark.parametrize(
    ("code", "field", "changes"),
    [
        (grpc.StatusCode.NOT_FOUND, "", {"projection": "no-such"}),
        (grpc.StatusCode.FAILED_PRECONDITION, "", {}),
        (grpc.StatusCode.INVALID_ARGUMENT, "reason", {"reason": " "}),
        (grpc.StatusCode.INVALID_ARGUMENT, "position", {"position": 0}),
    ],
)
async def test_skip_of_what_has_not_stopped_is_refused(
    api: Api, code: grpc.StatusCode, field: str, changes: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"projection": "gallery", "position": 1, "reason": "it is broken"}
    request = admin_service_pb2.SkipEventRequest(**(given | changes))
    refusal = await refusal_of(api.admin.SkipEvent(request, timeout=BOUND_SECONDS))
    assert refusal.code is code
    assert list(refusal.fields) == ([field] if field else [])


async def test_client_that_knows_only_its_own_contract_can_call(api: Api) -> None:
    """The blocking client of grpc, as services without asyncio use it."""

    def call() -> int:
        with grpc.insecure_channel(api.address) as channel:
            request = credit_service_pb2.GetAccountRequest(user_id="nobody")
            response = CreditServiceStub(channel).GetAccount(request, timeout=BOUND_SECONDS)
            return int(response.account.balance)

    assert await asyncio.to_thread(call) == 0
