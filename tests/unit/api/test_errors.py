"""Each refusal has its code, its reason, its facts and, where it helps, a time to try again."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from structlog.testing import capture_logs

from service.api.errors import shorten, status_for
from service.api.refusals import ApiError, Stopping, TooSlow, Unauthenticated
from service.domain import errors
from service.domain.errors import DomainError
from service.ports.event_store import EventStoreUnavailable
from service.ports.media_store import MediaRejected, MediaUnavailable
from service.ports.projections import ProjectionBehind, ReadModelsUnavailable
from tests.support.samples import GENERATION_ID, NOW

METHOD = "/triptych.v1.CreditService/GrantCredits"

# Of each kind one, with its code and what else a program would look at.
CASES: list[tuple[Exception, Any, str, dict[str, str], str, float | None]] = [
    (
        errors.InvalidField("prompt", "is empty"),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        {"field": "prompt"},
        "prompt",
        None,
    ),
    (
        errors.NotFound("item", "x"),
        StatusCode.NOT_FOUND,
        "NOT_FOUND",
        {"resource": "item", "name": "x"},
        "",
        None,
    ),
    (
        errors.AlreadyExists("request_id", "r", ("prompt", "seed")),
        StatusCode.ALREADY_EXISTS,
        "ID_REUSED",
        {"field": "request_id", "differing": "prompt,seed"},
        "request_id",
        None,
    ),
    (
        errors.InsufficientCredits(3, 20),
        StatusCode.FAILED_PRECONDITION,
        "INSUFFICIENT_CREDITS",
        {"balance": "3", "price": "20"},
        "",
        None,
    ),
    (
        errors.AlreadyRefunded(GENERATION_ID, "ann", NOW, "blurred"),
        StatusCode.FAILED_PRECONDITION,
        "ALREADY_REFUNDED",
        {"generation_id": GENERATION_ID, "actor": "ann", "refund_time": NOW.isoformat(), "note": "blurred"},
        "",
        None,
    ),
    (
        errors.NothingToRefund(GENERATION_ID, 20, 20),
        StatusCode.FAILED_PRECONDITION,
        "NOTHING_TO_REFUND",
        {"generation_id": GENERATION_ID, "debited": "20", "refunded": "20"},
        "",
        None,
    ),
    (
        errors.NotEnded(GENERATION_ID, "queued"),
        StatusCode.FAILED_PRECONDITION,
        "NOT_ENDED",
        {"generation_id": GENERATION_ID, "state": "queued"},
        "",
        None,
    ),
    (
        errors.NotCancellable(GENERATION_ID, "succeeded", "It is too late."),
        StatusCode.FAILED_PRECONDITION,
        "NOT_CANCELLABLE",
        {"generation_id": GENERATION_ID, "state": "succeeded"},
        "",
        None,
    ),
    (
        errors.PreconditionFailed("It is not stopped there."),
        StatusCode.FAILED_PRECONDITION,
        "PRECONDITION_FAILED",
        {},
        "",
        None,
    ),
    (
        errors.Conflict("account-u", 10),
        StatusCode.ABORTED,
        "CONFLICT",
        {"stream": "account-u", "attempts": "10"},
        "",
        0.1,
    ),
    (Unauthenticated("No token."), StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", {}, "", None),
    (Stopping(), StatusCode.UNAVAILABLE, "STOPPING", {}, "", 1.0),
    (
        TooSlow("chunk", 60.0),
        StatusCode.DEADLINE_EXCEEDED,
        "TOO_SLOW",
        {"field": "chunk", "limit_seconds": "60.0"},
        "",
        None,
    ),
    (
        ProjectionBehind("gallery", 10, 7),
        StatusCode.UNAVAILABLE,
        "PROJECTION_BEHIND",
        {"projection": "gallery", "wanted": "10", "reached": "7"},
        "",
        1.0,
    ),
    (EventStoreUnavailable("postgresql://secret"), StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", {}, "", 1.0),
    (ReadModelsUnavailable("postgresql://secret"), StatusCode.UNAVAILABLE, "READ_MODELS_UNAVAILABLE", {}, "", 1.0),
    (MediaUnavailable("s3://secret"), StatusCode.UNAVAILABLE, "MEDIA_UNAVAILABLE", {}, "", 1.0),
    (MediaRejected("It is a text file."), StatusCode.INVALID_ARGUMENT, "MEDIA_REJECTED", {}, "chunk", None),
]


def detail(status: Status, kind: Any) -> Any:
    found = kind()
    return found if any(packed.Unpack(found) for packed in status.details) else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case[0]).__name__)
def test_refusal_is_told_with_its_code_and_facts(
    case: tuple[Exception, StatusCode, str, dict[str, str], str, float | None],
) -> None:
    error, code, reason, facts, field, retry_after_seconds = case
    status = status_for(error, method=METHOD)
    assert status.code == code.value[0]
    info = detail(status, ErrorInfo)
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "triptych", facts)
    wrong = detail(status, BadRequest)
    assert (wrong.field_violations[0].field if wrong else "") == field
    retry = detail(status, RetryInfo)
    assert (retry.retry_delay.ToTimedelta().total_seconds() if retry else None) == retry_after_seconds
    assert "secret" not in str(status)


def test_every_kind_of_refusal_is_tried_here() -> None:
    def leaves(kind: type) -> set[type]:
        below: list[type] = kind.__subclasses__()
        return set().union(*(leaves(each) for each in below)) if below else {kind}

    tried = {type(case[0]) for case in CASES}
    assert leaves(DomainError) | leaves(ApiError) <= tried


def test_defect_is_logged_under_an_id_and_tells_nothing_else() -> None:
    with capture_logs() as logs:
        status = status_for(RuntimeError("password is hunter2"), method=METHOD)
    assert status.code == StatusCode.INTERNAL.value[0]
    assert "hunter2" not in str(status)
    (entry,) = logs
    info = detail(status, ErrorInfo)
    assert info.metadata["error_id"] == entry["error_id"]
    assert entry["error_id"] in status.message
    assert entry["method"] == METHOD
    assert "hunter2" in str(entry["exc_info"])


def test_largest_status_fits_into_a_header() -> None:
    """Peers refuse headers of more than 8 KiB; the message travels percent-encoded, the details as base64."""
    error = errors.AlreadyRefunded(GENERATION_ID, "ж" * 10_000, NOW, "🦊" * 10_000)
    status = status_for(error, method=METHOD)
    assert len(quote(status.message)) + len(base64.b64encode(status.SerializeToString())) < 8 * 1024


@pytest.mark.parametrize(("text", "expected"), [("short", "short"), ("жжжжжж", "ж…"), ("🦊🦊🦊", "🦊🦊🦊"[:1] + "…")])
def test_text_is_shortened_between_characters(text: str, expected: str) -> None:
    limit_bytes = {"short": 5, "жжжжжж": 6, "🦊🦊🦊": 9}[text]
    assert shorten(text, limit_bytes) == expected
