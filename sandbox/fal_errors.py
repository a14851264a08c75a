"""The two shapes of error that fal answers with.

A model's error is a list, ``{"detail": [{"loc", "msg", "type", "url", "input"}]}``, with ``X-Fal-Retryable``. The
platform's own is flat, ``{"detail": "...", "error_type": "..."}``, with ``X-Fal-Error-Type``. A third kind comes from
the ingress in front of it all: an HTML page of nginx without ``X-Fal-Request-Id``; the vendor's client sends such
requests again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.fault_kinds import MODEL_ERRORS, REQUEST_ERRORS

_ERROR_PAGE: Final = "https://docs.fal.ai/errors/#"
_RETRYABLE: Final = {"generation_timeout", "internal_server_error", "downstream_service_error"}
_MAX_INPUT_CHARACTERS: Final = 500


@dataclass(frozen=True)
class VendorError:
    """An error as it goes over the wire.

    Attributes:
        status: HTTP status.
        body: JSON body.
        headers: what goes with it.
        error_type: the type that a status answer names.
        message: one sentence, for status answers and webhooks.
    """

    status: int
    body: dict[str, Any]
    error_type: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def response(self, request_id: str = "") -> Response:
        extra = {"X-Fal-Request-Id": request_id} if request_id else {}
        return JSONResponse(self.body, self.status, self.headers | extra)


class VendorRefusal(Exception):
    """The vendor will not do it. ``error`` is what it answers."""

    def __init__(self, error: VendorError) -> None:
        super().__init__(error.message)
        self.error = error


def model_error(
    error_type: str, *, location: tuple[str | int, ...] = ("body", "prompt"), given: object = ""
) -> VendorError:
    """An error that a model answers with; ``error_type`` is a key of ``MODEL_ERRORS``."""
    status, message = MODEL_ERRORS[error_type]
    detail = {
        "loc": list(location),
        "msg": message,
        "type": error_type,
        "url": _ERROR_PAGE + error_type,
        "input": _shortened(given),
    }
    if error_type == "content_policy_violation":
        detail["categories"] = ["model_moderated"]
    headers = {"X-Fal-Retryable": str(error_type in _RETRYABLE).lower()}
    return VendorError(status, {"detail": [detail]}, error_type, message, headers)


def request_error(error_type: str) -> VendorError:
    """An error of the platform itself; ``error_type`` is a key of ``REQUEST_ERRORS``."""
    status, message = REQUEST_ERRORS[error_type]
    return flat_error(status, message, error_type)


def flat_error(status: int, message: str, error_type: str) -> VendorError:
    headers = {"X-Fal-Error-Type": error_type}
    if error_type == "request_timeout":
        headers["X-Fal-Request-Timeout-Type"] = "user"
    return VendorError(status, {"detail": message, "error_type": error_type}, error_type, message, headers)


def named_error(error_type: str, given: object = "") -> VendorError:
    """Whichever of the two shapes the type belongs to."""
    if error_type in MODEL_ERRORS:
        field_name = "image_url" if error_type.startswith(("image_", "file_", "face_")) else "prompt"
        return model_error(error_type, location=("body", field_name), given=given)
    return request_error(error_type)


def validation_error(error: ValidationError) -> VendorError:
    """Wrong arguments, as the model's own checks word them."""
    details = []
    for problem in error.errors(include_url=False):
        detail: dict[str, Any] = {
            "loc": ["body", *problem["loc"]],
            "msg": problem["msg"],
            "type": problem["type"],
            "url": _ERROR_PAGE + problem["type"],
            "input": _shortened(problem.get("input")),
        }
        if "ctx" in problem:
            detail["ctx"] = {name: str(value) for name, value in problem["ctx"].items()}
        details.append(detail)
    first = details[0]
    message = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return VendorError(422, {"detail": details}, str(first["type"]), message, {"X-Fal-Retryable": "false"})


def http_error(status: int, request_id: str) -> Response:
    """An error by its HTTP code alone, from whichever part of the vendor sends that code."""
    if status in (502, 503, 504):
        titles = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
        title = f"{status} {titles[status]}"
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>"
        return HTMLResponse(page, status)
    if status == 403:
        return flat_error(403, "User is locked. Reason: Exhausted balance.", "forbidden").response(request_id)
    texts = {401: "Authentication failed.", 408: "Request timed out.", 409: "Conflict.", 429: "Too many requests."}
    response = JSONResponse({"detail": texts.get(status, "Internal Server Error")}, status)
    response.headers["X-Fal-Request-Id"] = request_id
    if status == 429:
        response.headers["Retry-After"] = "1"
    return response


def _shortened(value: object) -> object:
    """Inputs are echoed in errors; a picture in a data URI would be megabytes."""
    if isinstance(value, str) and len(value) > _MAX_INPUT_CHARACTERS:
        return value[:_MAX_INPUT_CHARACTERS] + "…"
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    text = str(value)
    return text if len(text) <= _MAX_INPUT_CHARACTERS else text[:_MAX_INPUT_CHARACTERS] + "…"
