"""Webhooks: signed as the vendor signs, and late, twice, out of order or never when told so."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.listener import Listener
from tests.support.fal_queue import BOUND_SECONDS, Queue, until


class Receiver:
    """Takes webhooks; answers ``failures`` of them with 500 first."""

    def __init__(self) -> None:
        self.url = ""
        self.failures = 0
        self._received: asyncio.Queue[tuple[str, dict[str, str], bytes]] = asyncio.Queue()

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if self.failures > 0:
            self.failures -= 1
            return Response(status_code=500)
        await self._received.put((request.path_params["mark"], dict(request.headers), body))
        return Response(status_code=204)

    async def next(self) -> tuple[str, dict[str, str], bytes]:
        return await asyncio.wait_for(self._received.get(), BOUND_SECONDS)

    @property
    def waiting(self) -> int:
        return self._received.qsize()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = Listener("127.0.0.1", 0)
    await listener.start(Starlette(routes=[Route("/hooks/{mark}", receiver.take, methods=["POST"])]))
    receiver.url = f"{listener.base_url}/hooks"
    yield receiver
    await listener.stop()


async def verified(queue: Queue, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """Checks a delivery's signature as a receiver must."""
    keys = (await queue.http.get(queue.sandbox.jwks_url)).json()["keys"]
    raw = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    names = ("request-id", "user-id", "timestamp")
    parts = [headers[f"x-fal-webhook-{name}"] for name in names] + [hashlib.sha256(body).hexdigest()]
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, "\n".join(parts).encode())
    envelope: dict[str, Any] = json.loads(body)
    return envelope


async def test_a_result_is_announced(queue: Queue, receiver: Receiver) -> None:
    job = await queue.accepted("x", webhook=f"{receiver.url}/a")
    mark, headers, body = await receiver.next()
    envelope = await verified(queue, headers, body)
    assert mark == "a"
    assert envelope["request_id"] == headers["x-fal-webhook-request-id"] == job["request_id"]
    assert (envelope["status"], envelope["error"]) == ("OK", None)
    assert envelope["payload"] == (await queue.http.get(job["response_url"])).json()


async def test_a_failure_is_announced_with_its_details(queue: Queue, receiver: Receiver) -> None:
    await queue.accepted("x", webhook=f"{receiver.url}/a", num_images=9)
    _, headers, body = await receiver.next()
    envelope = await verified(queue, headers, body)
    assert (envelope["status"], envelope["error"]) == ("ERROR", "Invalid status code: 422")
    assert envelope["payload"]["detail"][0]["loc"] == ["body", "num_images"]


async def test_a_delivery_is_repeated_until_it_is_taken(queue: Queue, receiver: Receiver) -> None:
    receiver.failures = 2
    await queue.accepted("x", webhook=f"{receiver.url}/a")
    await receiver.next()
    deliveries = await until(queue.sandbox.control.deliveries, lambda seen: len(seen) >= 3)
    assert [(delivery.attempt, delivery.status) for delivery in deliveries] == [(1, 500), (2, 500), (3, 204)]


async def test_twice(queue: Queue, receiver: Receiver) -> None:
    await queue.accepted("x [sandbox:webhook-twice]", webhook=f"{receiver.url}/a")
    assert (await receiver.next())[2] == (await receiver.next())[2]


async def test_never(queue: Queue, receiver: Receiver) -> None:
    await queue.wait(await queue.accepted("x [sandbox:webhook-never]", webhook=f"{receiver.url}/a"))
    await queue.accepted("y", webhook=f"{receiver.url}/b")
    assert (await receiver.next())[0] == "b"
    assert receiver.waiting == 0


async def test_out_of_order(queue: Queue, receiver: Receiver) -> None:
    await queue.sandbox.control.fail_next("webhook", "out_of_order", seconds=300, match="first")
    await queue.wait(await queue.accepted("first", webhook=f"{receiver.url}/first"))
    await queue.accepted("second", webhook=f"{receiver.url}/second")
    assert [(await receiver.next())[0], (await receiver.next())[0]] == ["second", "first"]


async def test_late(queue: Queue, receiver: Receiver) -> None:
    seconds = 0.3
    await queue.sandbox.control.fail_next("webhook", "late", seconds=seconds)
    asked_at = time.monotonic()
    await queue.accepted("x", webhook=f"{receiver.url}/a")
    await receiver.next()
    assert time.monotonic() - asked_at >= seconds


@pytest.mark.parametrize("kind", ["bad_signature", "stale_timestamp", "garbage", "wrong_request_id", "unsigned"])
async def test_deliveries_that_must_not_be_believed(queue: Queue, receiver: Receiver, kind: str) -> None:
    await queue.sandbox.control.fail_next("webhook", kind)
    job = await queue.accepted("x", webhook=f"{receiver.url}/a")
    _, headers, body = await receiver.next()
    if kind == "unsigned":
        assert not [name for name in headers if name.startswith("x-fal")]
        return
    expected = {"bad_signature": InvalidSignature, "garbage": ValueError}.get(kind)
    if expected is not None:
        with pytest.raises(expected):
            await verified(queue, headers, body)
        return
    envelope = await verified(queue, headers, body)
    assert (envelope["request_id"] == job["request_id"]) == (kind == "stale_timestamp")


async def test_a_delivery_can_be_asked_for_again(queue: Queue, receiver: Receiver) -> None:
    job = await queue.accepted("x", webhook=f"{receiver.url}/a")
    first = await receiver.next()
    await queue.sandbox.control.send_webhook_again(job["request_id"])
    assert (await receiver.next())[2] == first[2]


async def test_a_receiver_that_is_not_there(queue: Queue) -> None:
    await queue.accepted("x", webhook="http://127.0.0.1:1/hooks/a")
    deliveries = await until(queue.sandbox.control.deliveries, lambda seen: len(seen) >= 1)
    assert deliveries[0].status == 0
    assert httpx.ConnectError.__name__ in deliveries[0].error
