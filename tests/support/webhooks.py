"""What it takes to send webhooks and to receive them: a signer, its key server, a clock, and an endpoint."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from service.api.webhook.server import WebhookServer, WebhookServerOptions

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECRET = "a secret of the tests"


class SetClock:
    """``service.ports.clock.Clock`` that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)


class Signer:
    """Signs as the vendor does, with a key of its own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def jwk(self) -> dict[str, str]:
        public = base64.urlsafe_b64encode(self._key.public_key().public_bytes_raw()).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "x": public}

    def headers(self, body: bytes, *, at: datetime = NOW, request_id: str = "job-1") -> dict[str, str]:
        timestamp = str(int(at.timestamp()))
        message = "\n".join((request_id, "user-1", timestamp, hashlib.sha256(body).hexdigest()))
        return {
            "x-fal-webhook-request-id": request_id,
            "x-fal-webhook-user-id": "user-1",
            "x-fal-webhook-timestamp": timestamp,
            "x-fal-webhook-signature": self._key.sign(message.encode()).hex(),
        }


class KeyServer:
    """Publishes ``keys`` as a JWKS, or answers with ``status`` and counts."""

    def __init__(self) -> None:
        self.keys: list[Mapping[str, Any]] = []
        self.status = 200
        self.content: bytes | None = None
        self.requests = 0
        self.url = ""

    async def answer(self, request: Request) -> Response:
        self.requests += 1
        if self.content is not None:
            return Response(self.content, self.status)
        return JSONResponse({"keys": self.keys}, self.status)


@asynccontextmanager
async def listening(app: ASGIApp, **options: Any) -> AsyncIterator[WebhookServer]:
    """A server on a free port of this machine."""
    server = WebhookServer(app, WebhookServerOptions(port=0, **options))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def key_server() -> AsyncIterator[KeyServer]:
    keys = KeyServer()
    app = Starlette(routes=[Route("/jwks.json", keys.answer)])
    async with listening(app) as server:
        keys.url = f"http://{server.address}/jwks.json"
        yield keys


def report(**changes: Any) -> bytes:
    """A webhook's body, as the vendor writes it."""
    content = {"request_id": "job-1", "gateway_request_id": "job-1", "status": "OK", "payload": {"images": []}}
    return json.dumps(content | changes).encode()
