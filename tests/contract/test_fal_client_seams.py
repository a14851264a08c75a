"""What we rely on in ``fal_client``: a new version that changes one of these must not pass unnoticed.

The first test is about money: it shows that the client by itself sends a dropped POST again, that ours does not, and
that both go through the same client code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import fal_client
import httpx
import pytest
from fal_client.client import AsyncBackupDomainTransport

from sandbox import Sandbox
from service.adapters.providers.fal_calls import AlreadySent, Call, QueueClient, Wire
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.sandbox import sandbox, sandbox_server
from tests.support.vendors import IMAGEN, trusted

__all__ = ["sandbox", "sandbox_server"]
ARGUMENTS = {"prompt": "a lighthouse"}


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    wire = Wire(trusted(sandbox), max_connections=10, keep_alive=False)
    yield wire
    await wire.aclose()


def call(sandbox: Sandbox, wire: Wire, most_requests: int | None) -> Call:
    return Call(
        wire,
        key=sandbox.fal_key,
        queue_host=sandbox.fal_host,
        connect_timeout_seconds=BOUND_SECONDS,
        most_requests=most_requests,
    )


async def submit(sandbox: Sandbox, made: Call) -> str:
    async with made.client() as http:
        handle = await QueueClient(sandbox.fal_key, http, timeout_seconds=BOUND_SECONDS).submit(IMAGEN, ARGUMENTS)
        return handle.request_id


async def test_the_client_alone_sends_a_dropped_post_again(sandbox: Sandbox, wire: Wire) -> None:
    await sandbox.control.fail_next("submit", "drop_after")
    await submit(sandbox, call(sandbox, wire, None))
    assert len(await sandbox.control.jobs()) == 2


@pytest.mark.parametrize("kind", ["drop_after", "http_409_after", "http_502_after", "http_503_after"])
async def test_with_one_request_allowed_it_does_not(sandbox: Sandbox, wire: Wire, kind: str) -> None:
    await sandbox.control.fail_next("submit", kind)
    once = call(sandbox, wire, 1)
    with pytest.raises((AlreadySent, fal_client.FalClientHTTPError)):
        await submit(sandbox, once)
    assert len(await sandbox.control.jobs()) == 1
    assert once.left
    assert not once.surely_not_sent


async def test_the_refusal_of_a_second_request_is_not_retried(sandbox: Sandbox, wire: Wire) -> None:
    """The client retries on httpx's errors; ours is none, so its loop of ten attempts ends at the second."""
    assert not issubclass(AlreadySent, httpx.HTTPError | fal_client.FalClientError)
    await sandbox.control.fail_next("submit", "drop_after")
    with pytest.raises(AlreadySent):
        await submit(sandbox, call(sandbox, wire, 1))


async def test_what_did_not_leave_is_known(sandbox: Sandbox, wire: Wire) -> None:
    once = call(sandbox, wire, 1)
    async with sandbox.control.refusing_connections("fal"):
        with pytest.raises(AlreadySent):
            await submit(sandbox, once)
    assert not once.left
    assert once.surely_not_sent


async def test_a_submit_that_was_answered_has_left(sandbox: Sandbox, wire: Wire) -> None:
    once = call(sandbox, wire, 1)
    assert await submit(sandbox, once)
    assert once.left
    assert not once.surely_not_sent


class TwoDomains(httpx.AsyncBaseTransport):
    """Fails for fal's first domain in a given way and answers for the second."""

    def __init__(self, failure: type[httpx.TransportError]) -> None:
        self.asked: list[str] = []
        self._failure = failure

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host == "queue.fal.run":
            raise self._failure("as told", request=request)
        return httpx.Response(200, request=request)


@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (httpx.ConnectError, ["queue.fal.run", "queue.falrun.com"]),
        (httpx.ConnectTimeout, ["queue.fal.run", "queue.falrun.com"]),
        (httpx.ReadError, ["queue.fal.run"]),
        (httpx.WriteError, ["queue.fal.run"]),
        (httpx.ReadTimeout, ["queue.fal.run"]),
        (httpx.RemoteProtocolError, ["queue.fal.run"]),
    ],
)
async def test_the_second_domain_is_asked_only_if_nothing_left(
    failure: type[httpx.TransportError], asked: list[str]
) -> None:
    domains = TwoDomains(failure)
    transport = AsyncBackupDomainTransport(transport=domains)
    request = httpx.Request("POST", "https://queue.fal.run/fal-ai/imagen4/preview", json=ARGUMENTS)
    if len(asked) == 2:
        assert (await transport.handle_async_request(request)).status_code == 200
    else:
        with pytest.raises(failure):
            await transport.handle_async_request(request)
    assert domains.asked == asked


async def test_the_defaults_lead_to_fal() -> None:
    """Without a host of its own the client asks fal, so that what it sends first can be checked here."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        urls = dict.fromkeys(("response_url", "status_url", "cancel_url"), "https://queue.fal.run/x")
        return httpx.Response(200, json={"request_id": "r-1"} | urls)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = QueueClient("key", http, timeout_seconds=5.0)
        handle = await client.submit(IMAGEN, ARGUMENTS, webhook_url="https://hooks.example/g?x=1")
    assert handle.request_id == "r-1"
    assert seen[0].method == "POST"
    assert seen[0].url.path == "/fal-ai/imagen4/preview"
    assert seen[0].url.params["fal_webhook"] == "https://hooks.example/g?x=1"
