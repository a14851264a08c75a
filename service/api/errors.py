"""From exceptions to ``google.rpc.Status``: the only place that knows status codes.

Every refusal carries an ErrorInfo with its reason, the domain ``triptych`` and its facts; a wrong field also a
BadRequest that names it; what may work later also a RetryInfo. ``docs/api.md`` lists the reasons. Anything that is
not a refusal is a defect: it is logged in full under an id, and the caller is told the id and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import structlog
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from service.api import refusals
from service.domain import errors
from service.ports.event_store import EventStoreUnavailable
from service.ports.media_store import MediaRejected, MediaUnavailable
from service.ports.projections import ProjectionBehind, ReadModelsUnavailable

log = structlog.get_logger(__name__)

ERROR_DOMAIN = "triptych"

# A status travels in a header, and peers refuse headers of more than 8 KiB: with percent-encoding and base64 these
# limits keep the largest one well below.
MAX_MESSAGE_BYTES = 800
MAX_FACT_BYTES = 300
MAX_FACTS = 8


class Rule(NamedTuple):
    """How one kind of exception is told."""

    code: StatusCode
    retry_after_seconds: float | None = None
    reason: str = ""
    """Of exceptions that carry none."""
    message: str = ""
    """Instead of the exception's own, where that is not for callers."""


# Most specific first.
RULES: tuple[tuple[type[Exception], Rule], ...] = (
    (errors.InvalidField, Rule(StatusCode.INVALID_ARGUMENT)),
    (errors.NotFound, Rule(StatusCode.NOT_FOUND)),
    (errors.AlreadyExists, Rule(StatusCode.ALREADY_EXISTS)),
    (errors.PreconditionFailed, Rule(StatusCode.FAILED_PRECONDITION)),
    (errors.Conflict, Rule(StatusCode.ABORTED, 0.1)),
    (refusals.Unauthenticated, Rule(StatusCode.UNAUTHENTICATED)),
    (refusals.Stopping, Rule(StatusCode.UNAVAILABLE, 1.0)),
    (refusals.TooSlow, Rule(StatusCode.DEADLINE_EXCEEDED)),
    (ProjectionBehind, Rule(StatusCode.UNAVAILABLE, 1.0, "PROJECTION_BEHIND")),
    (MediaRejected, Rule(StatusCode.INVALID_ARGUMENT, None, "MEDIA_REJECTED")),
    (
        EventStoreUnavailable,
        Rule(StatusCode.UNAVAILABLE, 1.0, "STORE_UNAVAILABLE", "The event store is away; try again."),
    ),
    (
        ReadModelsUnavailable,
        Rule(StatusCode.UNAVAILABLE, 1.0, "READ_MODELS_UNAVAILABLE", "The read models are away; try again."),
    ),
    (
        MediaUnavailable,
        Rule(StatusCode.UNAVAILABLE, 1.0, "MEDIA_UNAVAILABLE", "The media store is away; try again."),
    ),
)


def status_for(error: Exception, *, method: str) -> Status:
    """The status that tells ``error`` to a caller. Logs what is not a refusal."""
    rule = next((rule for kind, rule in RULES if isinstance(error, kind)), None)
    if rule is None:
        return _defect(error, method)
    if rule.message:
        log.warning("call_failed", method=method, reason=rule.reason, error=str(error))
    return _status(
        rule.code,
        rule.message or str(error),
        reason=getattr(error, "reason", rule.reason),
        facts=_facts(error),
        field=_wrong_field(error),
        retry_after_seconds=rule.retry_after_seconds,
    )


def _defect(error: Exception, method: str) -> Status:
    error_id = secrets.token_hex(8)
    log.error("internal_error", error_id=error_id, method=method, exc_info=error)
    message = f"Something went wrong on our side. Tell the operator this id: {error_id}"
    return _status(StatusCode.INTERNAL, message, reason="INTERNAL", facts={"error_id": error_id})


def _facts(error: Exception) -> Mapping[str, object]:
    if isinstance(error, errors.DomainError | refusals.ApiError):
        return error.facts
    if isinstance(error, ProjectionBehind):
        return {"projection": error.projection, "wanted": error.wanted, "reached": error.reached}
    return {}


def _wrong_field(error: Exception) -> tuple[str, str] | None:
    match error:
        case errors.InvalidField():
            return error.field, error.description
        case errors.AlreadyExists():
            return error.field, "was used before with other parameters"
        case MediaRejected():
            return "chunk", str(error)
    return None


def _status(
    code: StatusCode,
    message: str,
    *,
    reason: str,
    facts: Mapping[str, object],
    field: tuple[str, str] | None = None,
    retry_after_seconds: float | None = None,
) -> Status:
    metadata = {name: shorten(str(value), MAX_FACT_BYTES) for name, value in list(facts.items())[:MAX_FACTS]}
    details: list[Message] = [ErrorInfo(reason=reason, domain=ERROR_DOMAIN, metadata=metadata)]
    if field is not None:
        violation = BadRequest.FieldViolation(field=field[0], description=shorten(field[1], MAX_FACT_BYTES))
        details.append(BadRequest(field_violations=[violation]))
    if retry_after_seconds is not None:
        delay = Duration()
        delay.FromTimedelta(timedelta(seconds=retry_after_seconds))
        details.append(RetryInfo(retry_delay=delay))
    status = Status(code=code.value[0], message=shorten(message, MAX_MESSAGE_BYTES))
    for detail in details:
        status.details.add().Pack(detail)
    return status


def shorten(text: str, limit_bytes: int) -> str:
    """``text``, or its beginning with an ellipsis, in at most ``limit_bytes`` bytes of UTF-8."""
    encoded = text.encode()
    if len(encoded) <= limit_bytes:
        return text
    return encoded[: limit_bytes - 3].decode(errors="ignore") + "…"
