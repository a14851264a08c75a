"""Every way in which the sandbox can be told to fail, by operation: the one table that the control API, the
words in prompts, ``--list-faults`` and the tests read.

An *operation* is something that a client does (submit, status, result, cancel, media, moderation, enhancement),
something that the vendor does to the client (webhook), or what becomes of a job (generation).
The sources of the vendor's error types are its pages "Model errors" and "Request errors".
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Operation = Literal[
    "submit", "status", "result", "cancel", "media", "moderation", "enhancement", "webhook", "generation"
]
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)

MODEL_ERRORS: Final[dict[str, tuple[int, str]]] = {
    "content_policy_violation": (422, "The content was refused by a content checker."),
    "no_media_generated": (422, "No media was generated for this input."),
    "file_download_error": (422, "The file could not be downloaded."),
    "image_too_large": (422, "The image is larger than the model takes."),
    "image_too_small": (422, "The image is smaller than the model takes."),
    "image_load_error": (422, "The file could not be read as an image."),
    "face_detection_error": (422, "No face was found in the image."),
    "generation_timeout": (504, "The generation took longer than it may."),
    "downstream_service_error": (400, "A service that the model depends on refused the request."),
    "internal_server_error": (500, "The model failed."),
}
"""Type -> (HTTP status, message). The body is ``{"detail": [{loc, msg, type, url, input}]}``."""

REQUEST_ERRORS: Final[dict[str, tuple[int, str]]] = {
    "request_timeout": (504, "The request took longer than its time limit."),
    "startup_timeout": (504, "No runner became ready in time."),
    "runner_scheduling_failure": (503, "No runner could be found for the request."),
    "runner_connection_timeout": (503, "The connection to the runner timed out."),
    "runner_connection_refused": (503, "The runner refused the connection."),
    "runner_connection_error": (503, "The connection to the runner failed."),
    "runner_disconnected": (503, "The runner went away while it worked on the request."),
    "runner_incomplete_response": (502, "The runner's answer was incomplete."),
    "runner_server_error": (500, "The runner failed."),
    "internal_error": (500, "The platform failed."),
    "client_cancelled": (499, "The request was cancelled by the client."),
    "bad_request": (400, "The request is malformed."),
}
"""Type -> (HTTP status, message). The body is ``{"detail": "...", "error_type": "..."}``."""

HTTP_CODES: Final[dict[int, str]] = {
    401: "the key is not accepted",
    403: "the account is locked: its balance is used up",
    408: "request timeout",
    409: "conflict",
    429: "too many requests, with Retry-After",
    500: "internal server error",
    502: "bad gateway, the ingress's own page",
    503: "service unavailable, the ingress's own page",
    504: "gateway timeout, the ingress's own page",
}

_COMMON: Final[dict[str, str]] = {
    "drop": "the connection is closed without an answer, and nothing was done",
    "slow": "nothing happens for `seconds` (5 if not told), then it goes on as usual",
    "html": "200 with an HTML page instead of JSON",
    "broken_json": "200 with JSON that is cut off in the middle",
} | {f"http_{code}": f"{code}: {text}; nothing was done" for code, text in HTTP_CODES.items()}

_MODEL = {name: f"{status} with a detail list, type {name}" for name, (status, _) in MODEL_ERRORS.items()}
_REQUEST = {name: f"{status} with error_type {name}" for name, (status, _) in REQUEST_ERRORS.items()}

KINDS: Final[dict[Operation, dict[str, str]]] = {
    "submit": _COMMON
    | {
        "drop_after": "the job is created, then the connection is closed without an answer",
        "slow_after": "the job is created, and the answer comes only after `seconds` (5 if not told)",
        "broken_json_after": "the job is created, and the answer is JSON that is cut off",
        "model_not_found": "404: the vendor does not have the model (any more)",
    }
    | {f"http_{code}_after": f"the job is created, then {code}" for code in (408, 409, 429, 500, 502, 503, 504)}
    | _MODEL
    | _REQUEST,
    "status": _COMMON
    | _REQUEST
    | {
        "not_found": "404: the job is not known",
        "unknown_status": "200 with a status that no client has heard of",
    },
    "result": _COMMON | _MODEL | _REQUEST | {"not_found": "404: the job is not known"},
    "cancel": _COMMON
    | {
        "not_found": "404: the job is not known",
        "already_completed": "400: it is too late",
        "obeyed": "a job that is being made is stopped (the vendor's models usually go on)",
    },
    "media": {
        "drop": "the connection is closed without an answer",
        "slow": "the answer comes after `seconds` (5 if not told)",
        "html": "an HTML page instead of the file",
        "text": "plain text that says it is the file's type",
        "huge": "a body of 2 GiB, announced in Content-Length",
        "endless": "chunks without an announced length, up to 2 GiB",
        "truncated": "the connection breaks in the middle of the file",
        "corrupt": "the right type and first bytes, then noise",
        "empty": "200 with no bytes at all",
        "wrong_type": "the real file, announced as application/octet-stream",
        "not_found": "404: the file is gone",
    }
    | {f"http_{code}": str(code) for code in (403, 408, 429, 500, 502, 503, 504)},
    "moderation": _COMMON
    | {
        "flagged": "flagged as illicit",
        "flagged_sexual": "flagged as sexual",
        "flagged_minors": "flagged as sexual/minors",
        "flagged_violence": "flagged as violence and violence/graphic",
        "flagged_self_harm": "flagged as self-harm",
        "flagged_hate": "flagged as hate",
    },
    "enhancement": _COMMON
    | {
        "refusal": "the model refuses to answer",
        "incomplete": "cut off at max_output_tokens: status incomplete, broken JSON text",
        "broken_text": "a well-formed answer whose text is not JSON",
        "wrong_shape": "JSON that does not satisfy the schema",
        "empty": "the prompt in the answer is an empty string",
        "too_long": "the prompt in the answer has 20,000 characters",
        "no_output": "completed, with an empty output list",
        "failed": "status failed, with an error of the vendor's",
    },
    "webhook": {
        "never": "it is not delivered",
        "late": "it is delivered after `seconds` (5 if not told)",
        "twice": "it is delivered two times",
        "out_of_order": "it is held until another job's webhook went out (at most `seconds`, 5 if not told)",
        "bad_signature": "its signature does not fit its body",
        "stale_timestamp": "it is signed ten minutes ago",
        "unsigned": "it has no signature headers",
        "garbage": "correctly signed, but the body is not JSON",
        "wrong_request_id": "correctly signed, but for a job that does not exist",
    },
    "generation": _MODEL
    | _REQUEST
    | {
        "two_of_four": "half of the asked outputs (rounded down) are delivered",
        "no_outputs": "completed, with an empty list of outputs",
        "flagged": "every output is flagged (or, where the model has no flags, no_media_generated)",
        "one_flagged": "the first output is flagged (or left out, where the model has no flags)",
        "stuck": "it is in progress for ever",
        "stuck_in_queue": "it is in the queue for ever",
        "vanished": "after it was in the queue its status is 404",
        "wrong_shape": "completed, with an output that has none of the promised fields",
    },
}
"""Operation -> kind -> what happens, in words that can stand in a table."""


def word_of(operation: Operation, kind: str) -> str:
    """The word for prompts: ``[sandbox:submit-http-503]``; kinds of a generation stand alone."""
    name = kind.replace("_", "-")
    return name if operation == "generation" else f"{operation}-{name}"


WORDS: Final[dict[str, tuple[Operation, str]]] = {
    word_of(operation, kind): (operation, kind) for operation, kinds in KINDS.items() for kind in kinds
}
"""Word -> (operation, kind)."""
