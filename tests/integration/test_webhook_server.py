"""The endpoint on a real port: what slow, cut off and too many senders get, and how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette

from service.api.server import CannotListen
from service.api.webhook.address import PATH, code_for
from service.api.webhook.app import WebhookLimits, webhook_app
from service.api.webhook.server import WebhookServer, WebhookServerOptions
from service.ports.webhook_verifier import Report
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.samples import GENERATION_ID
from tests.support.webhooks import SECRET, listening, report

TARGET = PATH.format(generation_id=GENERATION_ID, code=code_for(SECRET, GENERATION_ID))


class Believer:
    async def verify(self, headers: Mapping[str, str], body: bytes) -> Report:
        return Report("job-1", "OK")


class Gate:
    """A receiver that can be held up."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.entered = asyncio.Event()

    async def receive(self, generation_id: str, **_: str) -> None:
        self.entered.set()
        await self.open.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


def app_of(gate: Gate, **limits: float) -> Starlette:
    patient = {"body_seconds": BOUND_SECONDS, "handling_seconds": BOUND_SECONDS}
    bounds = WebhookLimits(**{**patient, **limits})  # type: ignore[arg-type]
    return webhook_app(secret=SECRET, verifier=Believer(), receive=gate.receive, limits=bounds)


async def exchange(server: WebhookServer, sent: bytes) -> bytes:
    """All that comes back for these bytes until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(BOUND_SECONDS):
            return await reader.read()
    except ConnectionError:
        # It closed before it had read everything.
        return b""
    finally:
        writer.close()


async def answer_to(server: WebhookServer, sent: bytes) -> bytes:
    """The same, again if the machine was too slow to send within the server's patience."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not (answer := await exchange(server, sent)):
            pass
    return answer


def head(content_length: int) -> bytes:
    return (
        f"POST {TARGET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {content_length}\r\n\r\n".encode()
    )


async def test_a_report_over_a_real_connection(gate: Gate) -> None:
    gate.open.set()
    async with listening(app_of(gate)) as server, httpx.AsyncClient(timeout=BOUND_SECONDS, trust_env=False) as client:
        url = f"http://{server.address}"
        assert (await client.post(url + TARGET, content=report())).status_code == 200
        assert (await client.get(url + "/healthz")).json() == {"status": "serving"}


async def test_a_body_that_is_too_large_is_refused_although_it_is_sent(gate: Gate) -> None:
    client = httpx.AsyncClient(timeout=BOUND_SECONDS, trust_env=False)
    async with listening(app_of(gate, body_bytes=1000)) as server, client:
        answer = await client.post(f"http://{server.address}{TARGET}", content=b" " * 3_000_000)
    assert answer.status_code == 413


async def test_a_body_that_stops_coming(gate: Gate) -> None:
    async with listening(app_of(gate, body_seconds=0.05), head_seconds=0.05) as server:
        answer = await answer_to(server, head(100) + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"BODY_TOO_SLOW" in answer


@pytest.mark.parametrize("sent", [b"", b"POST /webhooks/fal HTTP/1.1\r\nHos"])
async def test_a_request_that_does_not_come(gate: Gate, sent: bytes) -> None:
    async with listening(app_of(gate), head_seconds=0.05) as server:
        assert await exchange(server, sent) == b""


async def test_a_second_request_that_does_not_come(gate: Gate) -> None:
    async def first_answer_and_rest() -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            first = await reader.readuntil(b"}")
            writer.write(b"GET /heal")
            return first, await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            # The machine was too slow to send within the server's patience.
            return b"", b""
        finally:
            writer.close()

    async with listening(app_of(gate), head_seconds=0.3) as server, asyncio.timeout(BOUND_SECONDS):
        first = rest = b""
        while not first:
            first, rest = await first_answer_and_rest()
    assert first.startswith(b"HTTP/1.1 200 ")
    assert rest == b""


async def test_a_head_without_end(gate: Gate) -> None:
    async with listening(app_of(gate)) as server:
        answer = await exchange(server, b"POST / HTTP/1.1\r\nX: " + b"x" * 100_000)
    # Closed with bytes unread: the answer may be lost on the way.
    assert answer[:12] in (b"HTTP/1.1 400", b"")


async def test_a_request_in_hand_is_not_cut_off_by_the_head_timer(gate: Gate) -> None:
    async with listening(app_of(gate), head_seconds=0.3) as server:
        body = report()
        asked = asyncio.create_task(answer_to(server, head(len(body)) + body))
        await asyncio.wait_for(gate.entered.wait(), BOUND_SECONDS)
        # A connection that came later has run into the timer; the one in hand has not.
        assert await exchange(server, b"") == b""
        gate.open.set()
        assert (await asked).startswith(b"HTTP/1.1 200 ")


async def test_stopping_lets_what_is_in_hand_finish(gate: Gate) -> None:
    server = WebhookServer(app_of(gate), WebhookServerOptions(port=0, grace_seconds=int(BOUND_SECONDS)))
    await server.start()
    body = report()
    asked = asyncio.create_task(exchange(server, head(len(body)) + body))
    await asyncio.wait_for(gate.entered.wait(), BOUND_SECONDS)
    stopping = asyncio.create_task(server.stop())
    await refused(server.port)
    gate.open.set()
    await asyncio.wait_for(stopping, BOUND_SECONDS)
    assert (await asked).startswith(b"HTTP/1.1 200 ")
    await server.wait_stopped()


async def test_stopping_does_not_wait_for_ever(gate: Gate) -> None:
    server = WebhookServer(app_of(gate), WebhookServerOptions(port=0, grace_seconds=0))
    await server.start()
    body = report()
    asked = asyncio.create_task(exchange(server, head(len(body)) + body))
    await asyncio.wait_for(gate.entered.wait(), BOUND_SECONDS)
    await asyncio.wait_for(server.stop(), BOUND_SECONDS)
    # Cut off: not told that it was taken, so the vendor delivers it again.
    assert not (await asked).startswith(b"HTTP/1.1 2")
    await refused(server.port)


async def refused(port: int) -> None:
    """Until nobody listens on the port."""
    async with asyncio.timeout(BOUND_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return
            except ConnectionError:
                continue
            writer.close()
            await asyncio.sleep(0.01)


async def test_a_port_that_is_taken(gate: Gate) -> None:
    async with listening(app_of(gate)) as server:
        second = WebhookServer(app_of(gate), WebhookServerOptions(port=server.port))
        with pytest.raises(CannotListen, match=f"127.0.0.1:{server.port}: the port is taken"):
            await second.start()


async def test_an_address_that_is_not_ours(gate: Gate) -> None:
    server = WebhookServer(app_of(gate), WebhookServerOptions(host="192.0.2.1", port=0))
    with pytest.raises(CannotListen, match="cannot listen on"):
        await server.start()
    with pytest.raises(CannotListen, match="no such address"):
        await WebhookServer(app_of(gate), WebhookServerOptions(host="no such host", port=0)).start()


async def test_it_listens_on_ipv6(gate: Gate) -> None:
    server = WebhookServer(app_of(gate), WebhookServerOptions(host="::1", port=0))
    try:
        await server.start()
    except CannotListen:
        pytest.skip("this machine has no IPv6")
    assert server.address == f"[::1]:{server.port}"
    await server.stop()
