"""Takes the vendor's reports: the address first, then the size, the signature, the content, and only then the event.

The order matters. A stranger who does not know an address gets no further than a keyed hash; no body is read and no
key is fetched for him. What is left to be believed is a hint all the same (``service.application.reports``): it may
be old, repeated or out of order, and repeating it is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.api.webhook import address
from service.api.webhook.answers import (
    BodyTooLarge,
    BodyTooSlow,
    HandlingTooSlow,
    NoSuchAddress,
    answer_to,
    refusal,
)
from service.ports.webhook_verifier import WebhookVerifier

log = structlog.get_logger(__name__)

Receive = Callable[..., Awaitable[object]]
"""``service.application.reports.Reports.receive``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLimits:
    """The vendor waits 15 seconds for an answer; what takes longer is better refused, so that it comes again."""

    body_bytes: int = 2**20
    body_seconds: float = 5.0
    handling_seconds: float = 9.0


class WebhookEndpoint:
    def __init__(self, secret: str, verifier: WebhookVerifier, receive: Receive, limits: WebhookLimits) -> None:
        self._secret = secret
        self._verifier = verifier
        self._receive = receive
        self._limits = limits

    async def take(self, request: Request) -> Response:
        """POST /webhooks/fal/{generation_id}/{code}"""
        generation_id = request.path_params["generation_id"]
        try:
            if not address.is_code_of(self._secret, generation_id, request.path_params["code"]):
                raise NoSuchAddress
            body = await self._read(request)
            await self._handle(generation_id, request, body)
        except ClientDisconnect:
            # Nobody is left to read the answer.
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - told to the sender, and logged if it is a defect
            return answer_to(error, generation_id=generation_id)
        return JSONResponse({})

    async def _read(self, request: Request) -> bytes:
        limit = self._limits.body_bytes
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise BodyTooLarge(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise BodyTooLarge(limit)
        except TimeoutError as error:
            raise BodyTooSlow(self._limits.body_seconds) from error
        return bytes(body)

    async def _handle(self, generation_id: str, request: Request, body: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.handling_seconds):
                report = await self._verifier.verify(request.headers, body)
                await self._receive(
                    generation_id,
                    provider_request_id=report.provider_request_id,
                    vendor_status=report.vendor_status,
                )
        except TimeoutError as error:
            raise HandlingTooSlow(f"not done within {self._limits.handling_seconds:g} seconds") from error
        log.info(
            "webhook_received",
            generation_id=generation_id,
            provider_request_id=report.provider_request_id,
            vendor_status=report.vendor_status,
        )


def webhook_app(
    *, secret: str, verifier: WebhookVerifier, receive: Receive, limits: WebhookLimits | None = None
) -> Starlette:
    """The endpoint as an ASGI application: POST for reports, GET /healthz for whoever watches it.

    ``receive(generation_id, *, provider_request_id, vendor_status)`` may raise NotFound (404), Conflict or
    EventStoreUnavailable (503: it is delivered again).
    """
    endpoint = WebhookEndpoint(secret, verifier, receive, limits or WebhookLimits())
    app = Starlette(
        routes=[Route(address.PATH, endpoint.take, methods=["POST"]), Route("/healthz", _health, methods=["GET"])],
        exception_handlers={HTTPException: _refuse},
    )
    # An address is right or it is not; nobody is led from one to another.
    app.router.redirect_slashes = False
    return app


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "serving"})


async def _refuse(request: Request, error: Exception) -> Response:
    """What the router itself refuses, in the same form."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        response = refusal(405, "METHOD_NOT_ALLOWED", f"{request.method} is not possible here.")
    else:
        response = refusal(status, "NOT_FOUND", "There is no such address.")
    response.headers.update(getattr(error, "headers", None) or {})
    return response
