"""fal's errors, and what each of them means to us.

Two shapes: a model's ``{"detail": [{"loc", "msg", "type", "input"}]}`` and the platform's
``{"detail": "...", "error_type": "..."}``; a third thing is the page of whatever stands in front. Sources: fal's
pages "Errors" and "Request error types".

What a submit's answer says about the request, by HTTP code:

    2xx                             taken (if its body can be read; else unknown)
    429                             surely not taken: told to come back
    401 402 403 407                 surely refused: our key or account, so ``internal``
    404                             surely refused: fal does not have the model, so ``vendor_unavailable``
    400 405 411 413 414 415 422 431 surely refused, reason by type
    everything else                 unknown: 408, 409 and every 5xx are sent by parts that cannot know whether the
                                    request had reached the queue before
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from service.adapters.providers.fal_calls import Call
from service.domain.generation.events import FailureReason
from service.ports.media_provider import AnswerLost, NotTaken, Refused

REASONS: dict[str, FailureReason] = {
    # Of models
    "content_policy_violation": "content_policy",
    "no_media_generated": "no_output",
    "file_download_error": "invalid_input",
    "image_too_large": "invalid_input",
    "image_too_small": "invalid_input",
    "image_load_error": "invalid_input",
    "face_detection_error": "invalid_input",
    "generation_timeout": "timed_out",
    "downstream_service_error": "vendor_unavailable",
    "internal_server_error": "vendor_unavailable",
    # Of the platform
    "request_timeout": "timed_out",
    "startup_timeout": "vendor_unavailable",
    "runner_scheduling_failure": "vendor_unavailable",
    "runner_connection_timeout": "vendor_unavailable",
    "runner_connection_refused": "vendor_unavailable",
    "runner_connection_error": "vendor_unavailable",
    "runner_disconnected": "vendor_unavailable",
    "runner_incomplete_response": "vendor_unavailable",
    "runner_server_error": "vendor_unavailable",
    "internal_error": "vendor_unavailable",
    "client_cancelled": "vendor_unavailable",
    "bad_request": "internal",
}
OUR_ACCOUNT = frozenset({401, 402, 403, 407})
_REFUSALS = frozenset({400, 405, 411, 413, 414, 415, 422, 431})
_MOST_DETAIL_CHARACTERS = 500
_MOST_RETRY_AFTER_SECONDS = 3600.0


class VendorError(msgspec.Struct, frozen=True):
    """An error answer. ``text`` is for the operator and never repeats what was sent (a picture, a prompt)."""

    status: int
    error_type: str = ""
    text: str = ""
    of_model: bool = False
    """A model said it: it describes the job, not the way to it."""

    @property
    def detail(self) -> str:
        named = f" {self.error_type}" if self.error_type else ""
        return f"fal answered {self.status}{named}" + (f": {self.text}" if self.text else "")

    @property
    def reason(self) -> FailureReason:
        known = REASONS.get(self.error_type)
        if known is not None:
            return known
        if self.status in OUR_ACCOUNT:
            return "internal"
        # Anything else that a model has to say with these codes is about the arguments.
        return "invalid_input" if self.status in _REFUSALS else "vendor_unavailable"


def error_of(status: int, body: bytes, headers: Mapping[str, str]) -> VendorError:
    """Reads an error answer, whatever it looks like."""
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        # A page of something in front of fal: its markup says nothing that the code does not say.
        parsed = {}
    if not isinstance(parsed, dict):
        parsed = {}
    detail = parsed.get("detail")
    entries = [entry for entry in detail if isinstance(entry, dict)] if isinstance(detail, list) else []
    if entries:
        text = "; ".join(_entry_text(entry) for entry in entries[:5])
        return VendorError(status, str(entries[0].get("type", ""))[:80], text[:_MOST_DETAIL_CHARACTERS], True)
    error_type = parsed.get("error_type") or headers.get("x-fal-error-type") or ""
    text = detail if isinstance(detail, str) else ""
    return VendorError(status, str(error_type)[:80], text[:_MOST_DETAIL_CHARACTERS])


def _entry_text(entry: Mapping[str, Any]) -> str:
    location = entry.get("loc")
    where = ".".join(str(part) for part in location) if isinstance(location, list) else ""
    return f"{where}: {entry.get('msg', '')}" if where else str(entry.get("msg", ""))


def submit_failed(call: Call, cause: BaseException) -> Refused | NotTaken | AnswerLost:
    """What is to be made of a submit that brought no request id. ``cause`` is what fal_client raised."""
    if call.response is None:
        problem = describe(call.error or cause)
        if not call.begun and not isinstance(cause, TimeoutError):
            return Refused("internal", f"the request could not be put together: {problem}")
        return NotTaken(problem) if call.surely_not_sent else AnswerLost(problem)
    status = call.response.status_code
    error = error_of(status, _body(call.response), call.response.headers)
    if status == 429:
        return NotTaken(error.detail, retry_after_seconds(call.response.headers))
    if status in OUR_ACCOUNT:
        return Refused("internal", f"{error.detail}; check the key and the balance of the account at fal")
    if status == 404:
        return Refused("vendor_unavailable", f"{error.detail}; fal does not have the catalog's model (any more)")
    if status in _REFUSALS:
        return Refused(error.reason, error.detail)
    return AnswerLost(f"{error.detail}; it may or may not have the request ({describe(cause)})")


def _body(response: httpx.Response) -> bytes:
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """``Retry-After`` in seconds, 0 without one. Its form with a date is not used by fal and counts as none."""
    value = headers.get("retry-after", "")
    return min(float(value), _MOST_RETRY_AFTER_SECONDS) if value.isdecimal() else 0.0


def describe(error: BaseException) -> str:
    """An exception for the operator. httpx's never show headers or bodies."""
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text[:_MOST_DETAIL_CHARACTERS]}" if text else name
