from __future__ import annotations

import json

import pytest

from service.adapters.providers.fal_errors import error_of, retry_after_seconds
from service.adapters.providers.fal_results import completed
from service.ports.media_provider import Completed, ProducedFile, Refused


def test_a_models_error_names_where_and_why_and_never_what_was_sent() -> None:
    entry = {"loc": ["body", "prompt"], "msg": "too rude", "type": "content_policy_violation", "input": "the prompt"}
    error = error_of(422, json.dumps({"detail": [entry]}).encode(), {})
    assert error.of_model
    assert error.reason == "content_policy"
    assert error.detail == "fal answered 422 content_policy_violation: body.prompt: too rude"


def test_the_platforms_error_has_its_type_in_body_or_header() -> None:
    in_body = error_of(504, b'{"detail": "no runner", "error_type": "startup_timeout"}', {})
    in_header = error_of(504, b"not json", {"x-fal-error-type": "startup_timeout"})
    assert (in_body.reason, in_header.reason) == ("vendor_unavailable", "vendor_unavailable")
    assert not in_body.of_model


@pytest.mark.parametrize(
    ("status", "reason"),
    [(422, "invalid_input"), (400, "invalid_input"), (403, "internal"), (500, "vendor_unavailable")],
)
def test_types_that_are_not_known_go_by_the_code(status: int, reason: str) -> None:
    assert (
        error_of(status, b'{"detail": [{"type": "literal_error", "msg": "x", "loc": ["body"]}]}', {}).reason == reason
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b'{"detail": {}}', b'{"detail": [1]}', b"\xff\xfe", b"<html>"]
)
def test_any_body_can_be_read(body: bytes) -> None:
    assert error_of(502, body, {}).detail == "fal answered 502"


def test_details_are_bounded() -> None:
    entries = [{"loc": ["body"], "msg": "m" * 10_000, "type": "t" * 10_000}] * 100
    assert len(error_of(422, json.dumps({"detail": entries}).encode(), {}).detail) < 1_000


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", 0.0), ("-3", 0.0), ("soon", 0.0), ("99999999", 3600.0)]
)
def test_retry_after_is_bounded(value: str, seconds: float) -> None:
    assert retry_after_seconds({"retry-after": value} if value else {}) == seconds


def test_both_shapes_of_pictures_are_accepted() -> None:
    rich = {"url": "https://x/1", "content_type": "image/png", "file_size": 5, "width": 1, "height": 1}
    assert completed({"images": [rich, "https://x/2"], "seed": 3}) == Completed(
        (
            ProducedFile(url="https://x/1", content_type="image/png", size_bytes=5, seed=3),
            ProducedFile(url="https://x/2", seed=3),
        )
    )
    assert completed({"image": rich}) == Completed(
        (ProducedFile(url="https://x/1", content_type="image/png", size_bytes=5),)
    )


def test_flags_stay_with_their_pictures() -> None:
    result = {"images": [{"nothing": 1}, {"url": "https://x/2"}, {"url": "https://x/3"}], "has_nsfw_concepts": [0, 1]}
    outcome = completed(result)
    assert isinstance(outcome, Completed)
    assert [(file.url, file.flagged) for file in outcome.files] == [("https://x/2", True), ("https://x/3", False)]


@pytest.mark.parametrize("result", [{}, {"images": None}, {"answer": 1}, [], None, "x"])
def test_a_result_of_another_shape_is_no_output(result: object) -> None:
    outcome = completed(result)
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "no_output"


@pytest.mark.parametrize("oddities", [{"seed": True}, {"seed": "x"}, {"seed": 2**80}, {"has_nsfw_concepts": "no"}])
def test_odd_extras_are_left_out(oddities: dict[str, object]) -> None:
    assert completed({"video": {"url": "https://x/1", "file_size": -1}} | oddities) == Completed(
        (ProducedFile(url="https://x/1"),)
    )
