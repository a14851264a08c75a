"""What the API itself refuses with; the domain's refusals are in ``service.domain.errors``.

ApiError
├── Unauthenticated   no token, or none that is known
├── Stopping          the server ends its streams before it stops; resume elsewhere
└── TooSlow           an upload that stood still for too long
"""

from __future__ import annotations

from typing import ClassVar


class ApiError(Exception):
    """A refusal that is the API's own. ``reason`` is stable; ``facts`` reach the wire as ErrorInfo metadata."""

    reason: ClassVar[str]

    def __init__(self, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Unauthenticated(ApiError):
    reason = "UNAUTHENTICATED"

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} Send the metadata 'authorization: Bearer <token>' with a token of this server.")


class Stopping(ApiError):
    reason = "STOPPING"

    def __init__(self) -> None:
        super().__init__("The server is stopping; call again, and resume from the last position you received.")


class TooSlow(ApiError):
    reason = "TOO_SLOW"

    def __init__(self, field: str, limit_seconds: float) -> None:
        super().__init__(
            f"{field}: nothing came for {limit_seconds:g} seconds; send the upload again without long pauses.",
            field=field,
            limit_seconds=str(limit_seconds),
        )
        self.field = field
        self.limit_seconds = limit_seconds
