"""Bearer tokens. Every method needs one when the server has any, except the health check.

Only hashes are kept and compared, all of them and in constant time, so neither a dump of the process nor the time
of an answer tells a token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from grpc import HandlerCallDetails, RpcMethodHandler
from grpc.aio import ServerInterceptor

from service.api.caller import CALLER, Caller, valid_traceparent
from service.api.refusals import Unauthenticated

OPEN_TO_ALL = "/grpc.health.v1.Health/"
_SCHEME = "bearer "

Handler: TypeAlias = "RpcMethodHandler[Any, Any]"  # Subscriptable for type checkers only.
Continuation: TypeAlias = "Callable[[HandlerCallDetails], Awaitable[Handler | None]]"


class Tokens:
    """The tokens of a server, by the name of who holds them."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._digests = tuple((name, _digest(token)) for name, token in tokens.items())

    def __bool__(self) -> bool:
        return bool(self._digests)

    def holder(self, authorization: str) -> str:
        """The name of who holds the token of an ``authorization`` header. Raises Unauthenticated."""
        if not authorization:
            raise Unauthenticated("This call has no token.")
        if not authorization.lower().startswith(_SCHEME):
            raise Unauthenticated("The authorization of this call is not a bearer token.")
        presented = _digest(authorization[len(_SCHEME) :].strip())
        found = ""
        for name, digest in self._digests:
            if hmac.compare_digest(presented, digest):
                found = name
        if not found:
            raise Unauthenticated("The token of this call is not known here.")
        return found


class CallerInterceptor(ServerInterceptor):
    """Finds out who calls, and refuses strangers."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: HandlerCallDetails
    ) -> Handler | None:
        authorization = traceparent = ""
        for key, value in handler_call_details.invocation_metadata:
            if key == "authorization" and isinstance(value, str):
                authorization = value
            elif key == "traceparent" and isinstance(value, str):
                traceparent = value
        name = ""
        if self._tokens and not handler_call_details.method.startswith(OPEN_TO_ALL):
            name = self._tokens.holder(authorization)
        # The handler runs in the same task, so it finds what is set here.
        CALLER.set(Caller(name, valid_traceparent(traceparent)))
        return await continuation(handler_call_details)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
