"""What the vendor is told decides whether it delivers again."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from service.api.webhook.answers import (
    BodyTooLarge,
    BodyTooSlow,
    HandlingTooSlow,
    NoSuchAddress,
    answer_to,
)
from service.domain.errors import Conflict, InvalidField, NotFound
from service.ports.event_store import EventStoreUnavailable
from service.ports.projections import ReadModelsUnavailable
from service.ports.webhook_verifier import KeysUnavailable, NotGenuine, Unreadable

CASES = [
    (NoSuchAddress(), 404, "NOT_FOUND"),
    (NotFound("generation", "x"), 404, "NOT_FOUND"),
    (InvalidField("generation_id", "must be a UUID"), 404, "NOT_FOUND"),
    (BodyTooLarge(1024), 413, "BODY_TOO_LARGE"),
    (BodyTooSlow(5), 408, "BODY_TOO_SLOW"),
    (NotGenuine("The signature is wrong."), 401, "NOT_GENUINE"),
    (Unreadable("The body is not JSON."), 400, "UNREADABLE"),
    (KeysUnavailable("no route to 10.0.0.1"), 503, "KEYS_UNAVAILABLE"),
    (EventStoreUnavailable("no route to 10.0.0.1"), 503, "STORE_UNAVAILABLE"),
    (ReadModelsUnavailable("no route to 10.0.0.1"), 503, "READ_MODELS_UNAVAILABLE"),
    (Conflict("generation-x", 10), 503, "CONFLICT"),
    (HandlingTooSlow("9 s"), 503, "TOO_SLOW"),
]


@pytest.mark.parametrize(("error", "status", "reason"), CASES, ids=lambda value: getattr(value, "reason", None))
def test_every_refusal_has_its_status_and_reason(error: Exception, status: int, reason: str) -> None:
    answer = answer_to(error, generation_id="g")
    told = json.loads(bytes(answer.body))["error"]
    assert (answer.status_code, told["reason"]) == (status, reason)
    assert told["message"].endswith(".")
    assert "10.0.0.1" not in told["message"]
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_wrong_code_and_an_unknown_generation_look_the_same() -> None:
    wrong = answer_to(NoSuchAddress(), generation_id="g")
    unknown = answer_to(NotFound("generation", "g"), generation_id="g")
    assert (wrong.status_code, wrong.body) == (unknown.status_code, unknown.body)


def test_a_defect_is_logged_in_full_and_told_as_an_id() -> None:
    with capture_logs() as logs:
        answer = answer_to(RuntimeError("password=hunter2"), generation_id="g")
    told = json.loads(bytes(answer.body))["error"]
    assert answer.status_code == 500
    assert "hunter2" not in told["message"]
    (entry,) = logs
    assert entry["event"] == "webhook_defect"
    assert entry["error_id"] in told["message"]
    assert isinstance(entry["exc_info"], RuntimeError)
