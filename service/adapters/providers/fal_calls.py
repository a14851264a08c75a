"""How requests to fal leave, and how it is known whether they did.

``fal_client`` sends a request again on any transport error, also when the connection broke after a submit's POST had
left: a second paid job. It has no switch for that. So every call gets a transport of its own, a ``Call``, that

- lets out at most as many requests as the call may make: one for a submit. Whatever the client's loop tries after
  that is refused here with ``AlreadySent``, which is no httpx error, so the loop ends at once. That holds whatever
  the client comes to retry on, and the other calls keep its retries;
- remembers whether request bytes began to leave (httpcore's ``trace`` extension) and what was answered, so that
  "surely not taken" and "unknown" can be told apart;
- puts the queue's host into the url, which the client otherwise reads from the environment when it is imported.

Below it stands the client's own transport with its fallback to fal's second domain, which acts on failed
connects only, and below that a pooled client that honours the environment's proxies. Submits get a pool
without kept-alive connections: reusing one that the vendor is closing at that moment would look like a lost answer.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import fal_client
import httpx
from fal_client.client import AsyncBackupDomainTransport

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class AlreadySent(Exception):
    """The call has made the one request that it may make."""


class Wire:
    """A pool of connections, shared by many calls."""

    def __init__(self, tls: ssl.SSLContext, *, max_connections: int, keep_alive: bool) -> None:
        limits = httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=None if keep_alive else 0, keepalive_expiry=5.0
        )
        pool = httpx.AsyncClient(verify=tls, limits=limits, follow_redirects=False)
        self.transport = AsyncBackupDomainTransport(transport=_Pooled(pool))

    async def aclose(self) -> None:
        await self.transport.aclose()


class _Pooled(httpx.AsyncBaseTransport):
    """A client as a transport, because only a client looks for proxies in the environment."""

    def __init__(self, pool: httpx.AsyncClient) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._pool.send(request, stream=True)

    async def aclose(self) -> None:
        await self._pool.aclose()


class Call(httpx.AsyncBaseTransport):
    """One call to fal: at most ``most_requests`` requests (None: as many as the client likes)."""

    def __init__(
        self,
        wire: Wire,
        *,
        key: str,
        queue_host: str,
        connect_timeout_seconds: float,
        most_requests: int | None = None,
    ) -> None:
        self.left = False
        """Bytes of a request began to leave: the vendor may have it."""
        self.response: httpx.Response | None = None
        """The last answer's head (its body may or may not have been read)."""
        self.error: Exception | None = None
        """Why the last request had no answer."""
        self._wire = wire
        self._key = key
        self._queue_host = queue_host
        self._connect_timeout_seconds = connect_timeout_seconds
        self._most_requests = most_requests
        self._requests = 0

    def client(self) -> httpx.AsyncClient:
        """The httpx client to hand to fal_client, for ``async with``. Closing it leaves the wire open."""
        headers = {"Authorization": f"Key {self._key}", "User-Agent": f"fal-client/{fal_client.__version__} (python)"}
        return httpx.AsyncClient(transport=self, headers=headers, follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._most_requests is not None and self._requests >= self._most_requests:
            raise AlreadySent
        self._requests += 1
        self._address(request)
        self.response = self.error = None
        try:
            self.response = await self._wire.transport.handle_async_request(request)
        except httpx.HTTPError as error:
            self.error = error
            raise
        return self.response

    @property
    def begun(self) -> bool:
        """The client got as far as making a request."""
        return self._requests > 0

    @property
    def surely_not_sent(self) -> bool:
        """Nothing of a request has left. Needs two witnesses, so that losing one of them errs on the safe side."""
        return not self.left and (self._requests == 0 or isinstance(self.error, _NOT_SENT))

    def _address(self, request: httpx.Request) -> None:
        request.url = request.url.copy_with(netloc=self._queue_host.encode("ascii"))
        request.headers["Host"] = self._queue_host
        timeouts = dict(request.extensions.get("timeout", {}))
        connect = timeouts.get("connect")
        bound = self._connect_timeout_seconds
        timeouts["connect"] = bound if connect is None else min(connect, bound)
        request.extensions = {**request.extensions, "timeout": timeouts, "trace": self._trace}

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        # CONNECT opens a proxy's tunnel; nothing of ours is in it.
        if event.endswith("send_request_headers.started") and info["request"].method != b"CONNECT":
            self.left = True


class QueueClient(fal_client.AsyncClient):
    """fal's client on our httpx client. ``_client`` is where it keeps its own; a contract test holds it to that."""

    def __init__(self, key: str, http: httpx.AsyncClient, *, timeout_seconds: float) -> None:
        super().__init__(key=key, default_timeout=timeout_seconds)
        self._http = http

    @property
    async def _client(self) -> httpx.AsyncClient:
        return self._http
