"""The client of the control API, for tests and demos: order faults, then look at what the vendors saw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

import httpx
import msgspec

from sandbox.fault_kinds import Operation

ServerName = Literal["fal", "openai"]
_TIMEOUT_SECONDS: Final = 60.0


class SandboxError(Exception):
    """The sandbox refused an order. ``status`` is its HTTP status; the message says what would be right."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class JobView(msgspec.Struct, frozen=True):
    """A job as the vendor has it.

    ``status`` is IN_QUEUE, IN_PROGRESS or COMPLETED; ``error_type`` is empty for a success; ``outputs`` counts the
    delivered files; ``webhooks_sent`` counts the deliveries that the receiver took.
    """

    request_id: str
    model: str
    arguments: dict[str, Any]
    webhook_url: str
    status: str
    error_type: str
    cancelled: bool
    cancel_requests: int
    outputs: int
    webhooks_sent: int
    submitted_time: str


class DeliveryView(msgspec.Struct, frozen=True):
    """One attempt to deliver a webhook. ``status`` is the receiver's answer, 0 if there was none."""

    request_id: str
    url: str
    attempt: int
    status: int
    error: str


class SandboxControl:
    """Talks to a sandbox, in this process or another. Use as an async context manager, or call ``aclose``."""

    def __init__(self, control_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=control_url, timeout=_TIMEOUT_SECONDS, trust_env=False)

    async def __aenter__(self) -> SandboxControl:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def fail_next(
        self, operation: Operation, kind: str, *, count: int = 1, seconds: float | None = None, match: str = ""
    ) -> None:
        """Lets the next ``count`` requests of an operation fail, if their prompt contains ``match``.

        Kinds are those of ``sandbox.fault_kinds.KINDS``; ``seconds`` is for the slow ones (5 if not told).

        Raises:
            SandboxError: there is no such operation or kind.
        """
        body: dict[str, Any] = {"operation": operation, "kind": kind, "count": count, "match": match}
        await self._call("POST", "/sandbox/faults", body if seconds is None else body | {"seconds": seconds})

    async def outstanding_faults(self) -> list[dict[str, Any]]:
        """Orders that have not struck yet."""
        return msgspec.convert(await self._call("GET", "/sandbox/faults"), list[dict[str, Any]])

    async def clear_faults(self) -> None:
        await self._call("DELETE", "/sandbox/faults")

    async def jobs(self, *, webhook: str = "") -> list[JobView]:
        """Jobs in the order of their submission; ``webhook`` keeps those whose webhook url contains it."""
        return msgspec.convert(await self._call("GET", "/sandbox/jobs", params={"webhook": webhook}), list[JobView])

    async def submissions(self) -> dict[str, int]:
        """How many jobs were created for each webhook url. A value above 1 is a generation paid twice."""
        return msgspec.convert(await self._call("GET", "/sandbox/submissions"), dict[str, int])

    async def deliveries(self) -> list[DeliveryView]:
        """The attempts to deliver webhooks, oldest first."""
        return msgspec.convert(await self._call("GET", "/sandbox/deliveries"), list[DeliveryView])

    async def send_webhook_again(self, request_id: str) -> None:
        """Delivers a finished job's webhook once more.

        Raises:
            SandboxError: there is no such job, or it has not ended.
        """
        await self._call("POST", f"/sandbox/jobs/{request_id}/webhook")

    async def counters(self) -> dict[str, int]:
        """Requests by endpoint: fal.submit, fal.submit.accepted, fal.status, fal.result, fal.cancel, fal.media,
        openai.moderations, openai.responses, jwks."""
        return msgspec.convert(await self._call("GET", "/sandbox/counters"), dict[str, int])

    async def refuse_connections(self, server: ServerName) -> None:
        """Closes a server's port and connections until ``accept_connections`` or ``reset``."""
        await self._call("POST", "/sandbox/listening", {"server": server, "open": False})

    async def accept_connections(self, server: ServerName) -> None:
        await self._call("POST", "/sandbox/listening", {"server": server, "open": True})

    @asynccontextmanager
    async def refusing_connections(self, server: ServerName) -> AsyncIterator[None]:
        """A server's port is closed inside the block."""
        await self.refuse_connections(server)
        try:
            yield
        finally:
            await self.accept_connections(server)

    async def reset(self) -> None:
        """Forgets jobs, faults, deliveries and counters, and opens every port."""
        await self._call("POST", "/sandbox/reset")

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, str] | None = None
    ) -> Any:
        answer = await self._client.request(method, path, json=body, params=params)
        if answer.is_error:
            raise SandboxError(answer.status_code, str(answer.json().get("detail", answer.text)))
        return answer.json()
