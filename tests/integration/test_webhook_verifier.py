"""fal's signatures, checked with keys that are fetched over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.adapters.providers.fal_webhook import FalWebhookVerifier
from service.adapters.providers.fal_webhook_keys import MAX_SET_BYTES, FalWebhookKeys
from service.ports.webhook_verifier import KeysUnavailable, NotGenuine, Report, Unreadable
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.webhooks import NOW, KeyServer, SetClock, Signer, key_server, report


@pytest.fixture(scope="module")
async def shared_keys() -> AsyncIterator[KeyServer]:
    async with key_server() as running:
        yield running


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def keys(shared_keys: KeyServer, signer: Signer) -> KeyServer:
    shared_keys.keys, shared_keys.status, shared_keys.content, shared_keys.requests = [signer.jwk()], 200, None, 0
    return shared_keys


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def verifier(keys: KeyServer, clock: SetClock) -> AsyncIterator[FalWebhookVerifier]:
    fetched = FalWebhookKeys(keys.url, tls=httpx.create_ssl_context(), clock=clock, timeout_seconds=BOUND_SECONDS)
    yield FalWebhookVerifier(fetched, clock=clock)
    await fetched.aclose()


async def test_a_genuine_report(verifier: FalWebhookVerifier, signer: Signer) -> None:
    body = report(status="ERROR", error="Invalid status code: 422")
    assert await verifier.verify(signer.headers(body), body) == Report("job-1", "ERROR")


async def test_the_queues_id_counts_not_the_one_of_fals_own_retry(
    verifier: FalWebhookVerifier, signer: Signer
) -> None:
    body = report(request_id="job-1", gateway_request_id="try-2")
    assert (await verifier.verify(signer.headers(body), body)).provider_request_id == "job-1"


async def test_without_a_gateway_id(verifier: FalWebhookVerifier, signer: Signer) -> None:
    body = b'{"request_id": "job-1", "status": "OK"}'
    assert (await verifier.verify(signer.headers(body), body)).provider_request_id == "job-1"


@pytest.mark.parametrize("name", ["request-id", "user-id", "timestamp", "signature"])
async def test_every_header_is_needed(verifier: FalWebhookVerifier, signer: Signer, name: str) -> None:
    headers = signer.headers(report())
    del headers[f"x-fal-webhook-{name}"]
    with pytest.raises(NotGenuine, match=f"(?i)X-Fal-Webhook-{name}: is missing"):
        await verifier.verify(headers, report())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request-id", "job-2"),
        ("user-id", "user-2"),
        ("timestamp", str(int(NOW.timestamp()) + 1)),
        ("timestamp", "soon"),
        ("timestamp", "9" * 40),
        ("signature", "00" * 64),
        ("signature", "not hex"),
        ("signature", "00"),
    ],
)
async def test_every_header_is_signed(verifier: FalWebhookVerifier, signer: Signer, name: str, value: str) -> None:
    headers = signer.headers(report()) | {f"x-fal-webhook-{name}": value}
    with pytest.raises(NotGenuine):
        await verifier.verify(headers, report())


async def test_another_body(verifier: FalWebhookVerifier, signer: Signer) -> None:
    with pytest.raises(NotGenuine):
        await verifier.verify(signer.headers(report()), report(status="ERROR"))


async def test_another_key(verifier: FalWebhookVerifier, keys: KeyServer) -> None:
    with pytest.raises(NotGenuine):
        await verifier.verify(Signer().headers(report()), report())


@pytest.mark.parametrize(("seconds", "believed"), [(-301, False), (-300, True), (300, True), (301, False)])
async def test_the_clocks_may_be_five_minutes_apart(
    verifier: FalWebhookVerifier, signer: Signer, seconds: int, believed: bool
) -> None:
    headers = signer.headers(report(), at=NOW + timedelta(seconds=seconds))
    if believed:
        await verifier.verify(headers, report())
    else:
        with pytest.raises(NotGenuine, match="X-Fal-Webhook-Timestamp: is 301 seconds away"):
            await verifier.verify(headers, report())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"request_id": "',
        b"\xff",
        b"[]",
        b'{"status": "OK"}',
        report(request_id=7),
        report(request_id=""),
        report(request_id="../../other"),
        report(request_id="x" * 201),
        report(status="IN_PROGRESS"),
    ],
)
async def test_a_genuine_one_that_is_no_report(verifier: FalWebhookVerifier, signer: Signer, body: bytes) -> None:
    with pytest.raises(Unreadable):
        await verifier.verify(signer.headers(body), body)


async def test_keys_are_fetched_once_for_many(verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer) -> None:
    body = report()
    await asyncio.gather(*(verifier.verify(signer.headers(body), body) for _ in range(20)))
    assert keys.requests == 1


async def test_keys_are_kept_for_a_day_at_most(
    verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer, clock: SetClock
) -> None:
    await verifier.verify(signer.headers(report()), report())
    clock.advance(hours=23, minutes=59)
    await verifier.verify(signer.headers(report(), at=clock.now()), report())
    assert keys.requests == 1
    keys.keys = [Signer().jwk()]
    clock.advance(minutes=1)
    with pytest.raises(NotGenuine):
        await verifier.verify(signer.headers(report(), at=clock.now()), report())
    assert keys.requests == 2


async def test_any_of_several_keys_will_do(verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer) -> None:
    odd: list[dict[str, Any]] = [{"kty": "RSA", "n": "x"}, {"kty": "OKP", "crv": "Ed25519", "x": "c2hvcnQ"}]
    keys.keys = [*odd, Signer().jwk(), signer.jwk()]
    await verifier.verify(signer.headers(report()), report())


async def test_a_new_key_is_found_and_nonsense_does_not_make_us_ask_for_it_every_time(
    verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer, clock: SetClock
) -> None:
    await verifier.verify(signer.headers(report()), report())
    stranger = Signer()
    for _ in range(5):
        with pytest.raises(NotGenuine):
            await verifier.verify(stranger.headers(report()), report())
    assert keys.requests == 1
    clock.advance(seconds=60)
    keys.keys.append(stranger.jwk())
    await verifier.verify(stranger.headers(report(), at=clock.now()), report())
    assert keys.requests == 2


async def test_without_keys_nothing_can_be_said(
    verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer, clock: SetClock
) -> None:
    keys.status = 503
    for _ in range(3):
        with pytest.raises(KeysUnavailable, match="503"):
            await verifier.verify(signer.headers(report()), report())
    assert keys.requests == 1
    keys.status = 200
    clock.advance(seconds=5)
    await verifier.verify(signer.headers(report(), at=clock.now()), report())


async def test_a_key_that_may_be_new_while_fal_is_away(
    verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer, clock: SetClock
) -> None:
    await verifier.verify(signer.headers(report()), report())
    clock.advance(seconds=60)
    keys.status = 500
    stranger = Signer()
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            await verifier.verify(stranger.headers(report(), at=clock.now()), report())
    assert keys.requests == 2
    # What the known keys fit is believed all the same.
    await verifier.verify(signer.headers(report(), at=clock.now()), report())


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "RSA"}]}', b" " * (MAX_SET_BYTES + 1)]
)
async def test_key_sets_that_are_none(
    verifier: FalWebhookVerifier, keys: KeyServer, signer: Signer, content: bytes
) -> None:
    keys.content = content
    with pytest.raises(KeysUnavailable):
        await verifier.verify(signer.headers(report()), report())


async def test_nobody_is_there(signer: Signer, clock: SetClock) -> None:
    fetched = FalWebhookKeys("http://127.0.0.1:1/jwks.json", tls=httpx.create_ssl_context(), clock=clock)
    with pytest.raises(KeysUnavailable, match="ConnectError"):
        await FalWebhookVerifier(fetched, clock=clock).verify(signer.headers(report()), report())
    await fetched.aclose()
