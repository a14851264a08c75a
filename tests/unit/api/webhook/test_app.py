"""The endpoint as an application: who gets how far, and what is handed on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from service.api.webhook.address import webhook_url
from service.api.webhook.app import WebhookLimits, webhook_app
from service.domain.errors import NotFound
from service.ports.webhook_verifier import KeysUnavailable, NotGenuine, Report
from tests.support.samples import GENERATION_ID
from tests.support.webhooks import SECRET, report

HOST = "http://hooks.example"


class Desk:
    """Both sides of the endpoint: a verifier that believes, and a receiver that notes what it was given."""

    def __init__(self) -> None:
        self.verified: list[bytes] = []
        self.received: list[tuple[str, str, str]] = []
        self.refusal: Exception | None = None
        self.failure: Exception | None = None

    async def verify(self, headers: Mapping[str, str], body: bytes) -> Report:
        self.verified.append(body)
        if self.refusal is not None:
            raise self.refusal
        return Report("job-1", "OK")

    async def receive(self, generation_id: str, *, provider_request_id: str, vendor_status: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.received.append((generation_id, provider_request_id, vendor_status))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    app = webhook_app(
        secret=SECRET,
        verifier=desk,
        receive=desk.receive,
        limits=WebhookLimits(body_bytes=1000, body_seconds=60, handling_seconds=60),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        yield client


def url(generation_id: str = GENERATION_ID) -> str:
    return webhook_url(HOST, SECRET, generation_id)


async def test_a_report_is_handed_on(desk: Desk, client: httpx.AsyncClient) -> None:
    answer = await client.post(url(), content=report())
    assert (answer.status_code, answer.json()) == (200, {})
    assert desk.verified == [report()]
    assert desk.received == [(GENERATION_ID, "job-1", "OK")]


async def test_a_repeated_report_is_harmless_to_the_sender(desk: Desk, client: httpx.AsyncClient) -> None:
    answers = [await client.post(url(), content=report()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("path", [f"/webhooks/fal/{GENERATION_ID}/{'0' * 32}", f"/webhooks/fal/x/{'0' * 32}"])
async def test_a_guessed_address_leads_nowhere(desk: Desk, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=report())
    assert answer.status_code == 404
    assert answer.json()["error"]["reason"] == "NOT_FOUND"
    assert (desk.verified, desk.received) == ([], [])


async def test_an_unknown_generation(desk: Desk, client: httpx.AsyncClient) -> None:
    desk.failure = NotFound("generation", GENERATION_ID)
    assert (await client.post(url(), content=report())).status_code == 404


@pytest.mark.parametrize(
    ("refusal", "status"), [(NotGenuine("It is not signed."), 401), (KeysUnavailable("no answer"), 503)]
)
async def test_what_is_not_proven_is_not_handed_on(
    desk: Desk, client: httpx.AsyncClient, refusal: Exception, status: int
) -> None:
    desk.refusal = refusal
    assert (await client.post(url(), content=report())).status_code == status
    assert desk.received == []


async def test_a_body_that_says_it_is_too_large_is_not_read(desk: Desk, client: httpx.AsyncClient) -> None:
    answer = await client.post(url(), content=b" " * 1001)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "BODY_TOO_LARGE")
    assert desk.verified == []


async def test_a_body_that_turns_out_too_large_is_not_kept(desk: Desk, client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    answer = await client.post(url(), content=chunks())
    assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "BODY_TOO_LARGE")
    assert desk.verified == []


async def test_a_body_of_just_the_limit_is_taken(client: httpx.AsyncClient) -> None:
    assert (await client.post(url(), content=b" " * 1000)).status_code == 200


async def test_a_defect_is_an_id(desk: Desk, client: httpx.AsyncClient) -> None:
    desk.failure = RuntimeError("secret detail")
    answer = await client.post(url(), content=report())
    assert (answer.status_code, answer.json()["error"]["reason"]) == (500, "INTERNAL")
    assert "secret detail" not in answer.text


async def test_handling_is_bounded(desk: Desk) -> None:
    async def too_slow(*_: Any, **__: Any) -> None:
        raise TimeoutError

    app = webhook_app(secret=SECRET, verifier=desk, receive=too_slow)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        answer = await client.post(url(), content=report())
    assert (answer.status_code, answer.json()["error"]["reason"]) == (503, "TOO_SLOW")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_reports_are_posted(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, url())
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]["reason"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/", "/webhooks/fal/x", "/webhooks/fal/a/b/c", "/healthz/"])
async def test_nothing_else_is_there(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "NOT_FOUND")


async def test_it_says_that_it_serves(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "serving"})
