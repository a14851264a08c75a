"""Moments of the log, as callers give them: positions are ints, times are aware datetimes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import grpc

from clients.sdk.errors import InvalidArgument, Refusal, Violation

Moment = int | datetime
"""A position, or a time with a zone."""


def as_of_fields(as_of: Moment | None) -> dict[str, Any]:
    """The fields of a request that is to answer as it would have then; none for now. Raises InvalidArgument."""
    if as_of is None:
        return {}
    if isinstance(as_of, datetime):
        return {"as_of_time": aware("as_of", as_of)}
    return {"as_of_position": as_of}


def aware(field: str, time: datetime | None) -> datetime | None:
    """``time``; without a zone it would mean another moment on another machine, so that is an InvalidArgument."""
    if time is None or time.tzinfo is not None:
        return time
    description = f"has no time zone; say which is meant, such as {time.isoformat()}+00:00"
    raise InvalidArgument(
        Refusal(
            code=grpc.StatusCode.INVALID_ARGUMENT.name,
            message=f"{field}: {description}",
            reason="INVALID_FIELD",
            violations=(Violation(field, description),),
        )
    )
