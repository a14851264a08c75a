"""Who is calling: set once per call by the interceptor, read by whoever writes events for the call."""

from __future__ import annotations

import re
from contextvars import ContextVar

import msgspec

from service.application.execute import Context

LOCAL_ACTOR = "local"
"""Who callers are when the server asks for no tokens: somebody on this machine."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Caller(msgspec.Struct, frozen=True):
    """The caller of the present call. ``name`` is empty when nobody had to show a token."""

    name: str = ""
    traceparent: str = ""

    @property
    def context(self) -> Context:
        """What commands of this call leave in their events."""
        return Context(actor=self.name or LOCAL_ACTOR, traceparent=self.traceparent)


CALLER: ContextVar[Caller] = ContextVar("triptych_caller")


def valid_traceparent(value: str) -> str:
    """``value`` if it is a W3C traceparent, else nothing: the standard says to ignore others."""
    return value if _TRACEPARENT.fullmatch(value) else ""
