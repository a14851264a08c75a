"""From exceptions to HTTP answers: the only place of the endpoint that knows status codes.

2xx tells the vendor that it is done; everything else makes it deliver again for a while. So what may work later is
503, and what can never work says plainly why. Anything that is not foreseen is a defect: logged in full under an id,
and the id is all that is told.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import structlog
from starlette.responses import JSONResponse

from service.domain.errors import Conflict, InvalidField, NotFound
from service.ports.event_store import EventStoreUnavailable
from service.ports.projections import ReadModelsUnavailable
from service.ports.webhook_verifier import KeysUnavailable, NotGenuine, Unreadable

log = structlog.get_logger(__name__)

RETRY_AFTER_SECONDS = 10


class NoSuchAddress(Exception):
    """The address is not one that we gave out. Told exactly as an unknown generation is."""


class BodyTooLarge(Exception):
    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than the {limit_bytes} bytes that are accepted.")
        self.limit_bytes = limit_bytes


class BodyTooSlow(Exception):
    def __init__(self, limit_seconds: float) -> None:
        super().__init__(f"The body did not arrive within {limit_seconds:g} seconds.")
        self.limit_seconds = limit_seconds


class HandlingTooSlow(Exception):
    """It could not be taken in time; the vendor would not have waited for the answer either."""


class Rule(NamedTuple):
    status: int
    reason: str
    message: str = ""
    """Instead of the exception's own, where that is not for strangers."""


_NOT_FOUND = Rule(404, "NOT_FOUND", "There is no such address.")
_TRY_AGAIN = "It cannot be taken right now; deliver it again later."

RULES: tuple[tuple[type[Exception], Rule], ...] = (
    (NoSuchAddress, _NOT_FOUND),
    (NotFound, _NOT_FOUND),
    (InvalidField, _NOT_FOUND),
    (BodyTooLarge, Rule(413, "BODY_TOO_LARGE")),
    (BodyTooSlow, Rule(408, "BODY_TOO_SLOW")),
    (NotGenuine, Rule(401, "NOT_GENUINE")),
    (Unreadable, Rule(400, "UNREADABLE")),
    (KeysUnavailable, Rule(503, "KEYS_UNAVAILABLE", _TRY_AGAIN)),
    (EventStoreUnavailable, Rule(503, "STORE_UNAVAILABLE", _TRY_AGAIN)),
    (ReadModelsUnavailable, Rule(503, "READ_MODELS_UNAVAILABLE", _TRY_AGAIN)),
    (Conflict, Rule(503, "CONFLICT", _TRY_AGAIN)),
    (HandlingTooSlow, Rule(503, "TOO_SLOW", _TRY_AGAIN)),
)


def answer_to(error: Exception, *, generation_id: str) -> JSONResponse:
    """What the sender is told of ``error``, and the log."""
    rule = next((rule for kind, rule in RULES if isinstance(error, kind)), None)
    if rule is None:
        error_id = secrets.token_hex(8)
        log.error("webhook_defect", error_id=error_id, generation_id=generation_id, exc_info=error)
        return refusal(500, "INTERNAL", f"Something went wrong on our side. Tell the operator this id: {error_id}")
    # Strangers knock at any public address: what is not ours is worth no more than a line for the curious.
    record = log.info if rule.status == 404 else log.warning
    record("webhook_refused", generation_id=generation_id, reason=rule.reason, error=str(error))
    return refusal(rule.status, rule.reason, rule.message or str(error))


def refusal(status: int, reason: str, message: str) -> JSONResponse:
    """``{"error": {"reason", "message"}}``."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    return JSONResponse({"error": {"reason": reason, "message": message}}, status, headers=headers)
