"""fal's queue, through fal's own client.

    submit   POST, once: see ``fal_calls``. What a failed one means stands in ``fal_errors``.
    look     status, and the result once it is COMPLETED. Safe to repeat, so the client's retries stay on, within
             one bound for the whole look.
    cancel   status, then PUT: fal stops what waits in its queue; what is being made usually goes on.

An id that fal does not know is believed only after a while: right after a submit, the part of fal that is asked may
not have heard of it yet. Until then the request counts as waiting.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import fal_client
import httpx
import msgspec
import structlog
from cachetools import LRUCache

from service.adapters.providers.fal_arguments import Unsuitable, arguments_for
from service.adapters.providers.fal_calls import AlreadySent, Call, QueueClient, Wire
from service.adapters.providers.fal_errors import OUR_ACCOUNT, VendorError, describe, error_of, submit_failed
from service.adapters.providers.fal_results import completed
from service.ports.media_provider import (
    Accepted,
    AnswerLost,
    CancelVerdict,
    LookOutcome,
    Refused,
    SubmitOutcome,
    SubmitRequest,
    Unreachable,
    Waiting,
)

log = structlog.get_logger(__name__)

_MOST_LOG_CHARACTERS = 200
_MOST_ID_CHARACTERS = 200
# What fal_client raises when the way to fal fails, or when an answer is not what it promises to be.
_TROUBLE = (httpx.HTTPError, fal_client.FalClientError, TimeoutError, ValueError, LookupError, TypeError)


class FalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    queue_host: str = "queue.fal.run"
    """Host, with a port if it is not 443. Always https."""
    connect_timeout_seconds: float = 10.0
    look_timeout_seconds: float = 15.0
    """For all requests of one look, with their retries."""
    cancel_timeout_seconds: float = 15.0
    unknown_request_patience_seconds: float = 60.0
    """How long an id may be unknown to fal before that is believed."""
    max_connections: int = 100


class FalProvider:
    """``service.ports.media_provider.MediaProvider`` for fal. The key is never shown in logs, errors or reprs."""

    def __init__(
        self,
        key: str,
        *,
        tls: ssl.SSLContext,
        settings: FalSettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not key:
            raise ValueError("the key for fal is missing")
        self._key = key
        self._settings = settings or FalSettings()
        self._monotonic = monotonic
        most = self._settings.max_connections
        self._submits = Wire(tls, max_connections=most, keep_alive=False)
        self._polls = Wire(tls, max_connections=most, keep_alive=True)
        self._unknown_since: LRUCache[str, float] = LRUCache(10_000)

    @property
    def name(self) -> str:
        return "fal"

    async def aclose(self) -> None:
        await self._submits.aclose()
        await self._polls.aclose()

    async def submit(self, request: SubmitRequest) -> SubmitOutcome:
        """Sends the request once, and never again by itself."""
        try:
            arguments = arguments_for(request)
        except Unsuitable as error:
            return Refused("internal", f"the catalog is wrong: {error}")
        call = self._call(self._submits, most_requests=1)
        try:
            async with asyncio.timeout(request.timeout_seconds), call.client() as http:
                client = QueueClient(self._key, http, timeout_seconds=request.timeout_seconds)
                handle = await client.submit(request.model, arguments, webhook_url=request.webhook_url or None)
        except (AlreadySent, *_TROUBLE) as error:
            outcome = submit_failed(call, error)
            log.warning("fal_submit_failed", generation_id=request.generation_id, outcome=repr(outcome))
            return outcome
        return _accepted(handle.request_id)

    async def look(self, model: str, provider_request_id: str) -> LookOutcome:
        call = self._call(self._polls)
        try:
            async with asyncio.timeout(self._settings.look_timeout_seconds), call.client() as http:
                handle = _handle(http, model, provider_request_id)
                status = await handle.status(with_logs=True)
                self._unknown_since.pop(provider_request_id, None)
                if not isinstance(status, fal_client.Completed):
                    return _waiting(status)
                return await self._result(handle, status, provider_request_id)
        except fal_client.FalClientHTTPError as error:
            return self._no_status(_vendor_error(error), provider_request_id)
        except _TROUBLE as error:
            return _unreachable(call, error)

    async def _result(
        self, handle: fal_client.AsyncRequestHandle, status: fal_client.Completed, provider_request_id: str
    ) -> LookOutcome:
        # The client asks for the status once more; what COMPLETED says of an error it leaves to the result's code.
        try:
            return completed(await handle.get())
        except fal_client.FalClientHTTPError as error:
            failure = _vendor_error(error)
        if failure.status in OUR_ACCOUNT:
            return _our_account(failure)
        if failure.status == 404:
            return self._unknown(failure, provider_request_id)
        said_so = bool(status.error or status.error_type)
        if said_so and not failure.error_type and isinstance(status.error_type, str):
            failure = msgspec.structs.replace(failure, error_type=status.error_type[:80])
        if said_so or failure.of_model or failure.status < 500 or _is_of_runner(failure):
            return Refused(failure.reason, failure.detail)
        # A 5xx that nobody connects with the job is trouble on the way to its result.
        return Unreachable(failure.detail)

    def _no_status(self, failure: VendorError, provider_request_id: str) -> LookOutcome:
        if failure.status == 404:
            return self._unknown(failure, provider_request_id)
        if failure.status in OUR_ACCOUNT:
            return _our_account(failure)
        return Unreachable(failure.detail)

    def _unknown(self, failure: VendorError, provider_request_id: str) -> LookOutcome:
        now = self._monotonic()
        since = self._unknown_since.setdefault(provider_request_id, now)
        if now - since < self._settings.unknown_request_patience_seconds:
            log.warning("fal_unknown_request", provider_request_id=provider_request_id, detail=failure.detail)
            return Waiting()
        return Refused("vendor_unavailable", f"{failure.detail}; fal does not know the request (any more)")

    async def cancel(self, model: str, provider_request_id: str, *, force: bool = False) -> CancelVerdict:
        call = self._call(self._polls)
        try:
            async with asyncio.timeout(self._settings.cancel_timeout_seconds), call.client() as http:
                handle = _handle(http, model, provider_request_id)
                status = await handle.status()
                if isinstance(status, fal_client.Completed):
                    return "cancelled" if status.error_type == "client_cancelled" else "already_completed"
                if isinstance(status, fal_client.InProgress) and not force:
                    return "being_made"
                await handle.cancel()
                return _verdict(call, "cancelled")
        except fal_client.FalClientHTTPError as error:
            return _verdict(call, "unknown_request" if error.status_code == 404 else "unreachable")
        except _TROUBLE as error:
            log.warning("fal_cancel_failed", provider_request_id=provider_request_id, error=describe(error))
            return "unreachable"

    def _call(self, wire: Wire, *, most_requests: int | None = None) -> Call:
        return Call(
            wire,
            key=self._key,
            queue_host=self._settings.queue_host,
            connect_timeout_seconds=self._settings.connect_timeout_seconds,
            most_requests=most_requests,
        )


def _handle(http: httpx.AsyncClient, model: str, provider_request_id: str) -> fal_client.AsyncRequestHandle:
    return fal_client.AsyncRequestHandle.from_request_id(http, model, quote(provider_request_id, safe=""))


def _accepted(request_id: Any) -> SubmitOutcome:
    if isinstance(request_id, str) and 0 < len(request_id) <= _MOST_ID_CHARACTERS:
        return Accepted(request_id)
    return AnswerLost("fal took the request and answered without a usable request id")


def _waiting(status: fal_client.Status) -> Waiting:
    if isinstance(status, fal_client.Queued):
        return Waiting(queue_position=max(0, int(status.position)))
    logs = status.logs if isinstance(status, fal_client.InProgress) else None
    last = logs[-1] if isinstance(logs, list) and logs else {}
    message = last.get("message", "") if isinstance(last, dict) else ""
    return Waiting(log_line=" ".join(str(message).split())[:_MOST_LOG_CHARACTERS])


def _is_of_runner(failure: VendorError) -> bool:
    return failure.error_type.startswith("runner_") or failure.error_type in ("request_timeout", "startup_timeout")


def _vendor_error(error: fal_client.FalClientHTTPError) -> VendorError:
    return error_of(error.status_code, error.response.content, error.response.headers)


def _our_account(failure: VendorError) -> Unreachable:
    # The job is there and paid for; whoever puts the key right still gets its result.
    return Unreachable(f"{failure.detail}; check the key and the balance of the account at fal")


def _unreachable(call: Call, error: BaseException) -> Unreachable:
    if call.response is not None and call.response.is_error:
        return Unreachable(f"fal answered {call.response.status_code} ({describe(error)})")
    return Unreachable(describe(call.error or error))


def _verdict(call: Call, otherwise: CancelVerdict) -> CancelVerdict:
    """fal's word in the cancel's answer goes before its code, which is not documented."""
    try:
        said = call.response.json() if call.response is not None else None
    except (ValueError, httpx.ResponseNotRead):
        said = None
    words: dict[str, CancelVerdict] = {
        "CANCELLATION_REQUESTED": "cancelled",
        "ALREADY_COMPLETED": "already_completed",
        "NOT_FOUND": "unknown_request",
    }
    return words.get(str(said.get("status")), otherwise) if isinstance(said, dict) else otherwise
