"""OpenAI's ``/v1/responses`` and ``/v1/moderations``, as the ``openai`` library sees them.

Over plain HTTP with a bearer key. The answers hold every field that the library's models require. A response follows
the strict JSON schema of the request, whatever string fields it has; moderation flags a few harmless words, so that
a refusal can be shown without writing anything one would not show.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.enhancement import answer_text
from sandbox.fault_kinds import Operation
from sandbox.http_faults import Connections, client_gone, early_answer
from sandbox.moderation import UnreadableInput, moderated, text_of
from sandbox.world import World

_STATUS_TYPES: Final = {
    400: ("invalid_request_error", None, "The request is malformed."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "This is not available here."),
    408: ("server_error", None, "Request timed out."),
    409: ("server_error", None, "The request conflicts with another one."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", None, "The server had an error while processing your request."),
    502: ("server_error", None, "Bad gateway."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
    504: ("server_error", None, "Gateway timeout."),
}
REFUSAL: Final = "I'm sorry, but I can't help with that."


class BadRequest(Exception):
    """A request that the vendor answers with an error.

    Attributes:
        status: HTTP status.
        parameter: the field at fault, if one is.
    """

    def __init__(self, status: int, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.parameter = parameter


def openai_app(world: World, connections: Connections) -> Starlette:
    """The application."""
    vendor = OpenAI(world, connections)
    return Starlette(
        routes=[
            Route("/v1/responses", vendor.responses, methods=["POST"]),
            Route("/v1/moderations", vendor.moderations, methods=["POST"]),
        ],
        exception_handlers={ClientDisconnect: client_gone},
    )


class OpenAI:
    """The two endpoints."""

    def __init__(self, world: World, connections: Connections) -> None:
        self._world = world
        self._connections = connections

    async def moderations(self, request: Request) -> Response:
        """Classifies text, pictures, or a list of both."""
        self._world.counters["openai.moderations"] += 1
        try:
            body = await self._body(request)
            text, types = text_of(body.get("input"))
        except BadRequest as error:
            return error_response(error.status, str(error), error.parameter)
        except UnreadableInput as error:
            return error_response(400, str(error), "input")
        kind = await self._fault("moderation", text)
        if isinstance(kind, Response):
            return kind
        model = body.get("model") or "omni-moderation-latest"
        return JSONResponse({"id": _new_id("modr"), "model": model, "results": [moderated(text, types, kind)]})

    async def responses(self, request: Request) -> Response:
        """Writes a text, in the JSON shape that was asked for."""
        self._world.counters["openai.responses"] += 1
        try:
            body = await self._body(request)
            text = _last_input(body)
            schema = _schema(body)
        except BadRequest as error:
            return error_response(error.status, str(error), error.parameter)
        kind = await self._fault("enhancement", text)
        if isinstance(kind, Response):
            return kind
        return JSONResponse(_response(body, answer_text(text, schema, kind), kind))

    async def _body(self, request: Request) -> dict[str, Any]:
        if request.headers.get("authorization") != f"Bearer {self._world.options.openai_api_key}":
            raise BadRequest(401, "Incorrect API key provided.")
        try:
            body = await request.json()
        except ValueError as error:
            raise BadRequest(400, "We could not parse the JSON body of your request.") from error
        if not isinstance(body, dict):
            raise BadRequest(400, "The body must be a JSON object.")
        return body

    async def _fault(self, operation: Operation, text: str) -> str | Response:
        """The kind of fault that shapes the answer (empty for none), or the answer that a fault gives at once."""
        fault = self._world.faults.take(operation, text)
        early = await early_answer(fault, self._world.background, self._connections, error_response)
        return early if early is not None else fault.kind if fault else ""


def error_response(status: int, message: str = "", parameter: str | None = None) -> Response:
    """The vendor's error body, with the headers that its client reads."""
    error_type, code, text = _STATUS_TYPES.get(status, _STATUS_TYPES[500])
    error = {"message": message or text, "type": error_type, "param": parameter, "code": code}
    headers = {"x-request-id": _new_id("req")} | ({"retry-after": "1"} if status == 429 else {})
    return JSONResponse({"error": error}, status, headers)


def _last_input(body: dict[str, Any]) -> str:
    """The last thing the user said."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise BadRequest(400, "Missing required parameter: 'model'.", "model")
    given = body.get("input")
    if isinstance(given, list):
        said = [entry for entry in given if isinstance(entry, dict) and entry.get("role", "user") == "user"]
        given = said[-1].get("content") if said else None
    if isinstance(given, list):
        parts = [part.get("text") for part in given if isinstance(part, dict) and part.get("type") == "input_text"]
        given = "\n".join(part for part in parts if isinstance(part, str))
    if not isinstance(given, str) or not given:
        raise BadRequest(400, "Missing required parameter: 'input'.", "input")
    return given


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    """The asked JSON schema, None for plain text. Strict schemas have rules of their own, checked as there."""
    text = body.get("text")
    wanted = text.get("format") if isinstance(text, dict) else None
    if not isinstance(wanted, dict) or wanted.get("type", "text") == "text":
        return None
    schema = wanted.get("schema")
    if wanted.get("type") != "json_schema" or not wanted.get("name") or not isinstance(schema, dict):
        raise BadRequest(400, "text.format must be of type json_schema, with a name and a schema.", "text.format")
    if wanted.get("strict") and schema.get("additionalProperties") is not False:
        place = f"Invalid schema for response_format '{wanted['name']}'"
        raise BadRequest(400, f"{place}: 'additionalProperties' is required to be false.", "text.format.schema")
    if wanted.get("strict") and set(schema.get("required", ())) != set(schema.get("properties", {})):
        place = f"Invalid schema for response_format '{wanted['name']}'"
        raise BadRequest(400, f"{place}: 'required' must name every property.", "text.format.schema")
    return schema


def _response(body: dict[str, Any], text: str, kind: str) -> dict[str, Any]:
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if kind == "refusal":
        content = {"type": "refusal", "refusal": REFUSAL}
    status = {"incomplete": "incomplete", "failed": "failed"}.get(kind, "completed")
    message = {
        "id": _new_id("msg"),
        "type": "message",
        "role": "assistant",
        "status": "incomplete" if status == "incomplete" else "completed",
        "content": [content],
    }
    words_in, words_out = len(json.dumps(body)) // 4, len(text) // 4
    return {
        "id": _new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": {"code": "server_error", "message": "The model failed."} if kind == "failed" else None,
        "incomplete_details": {"reason": "max_output_tokens"} if kind == "incomplete" else None,
        "instructions": body.get("instructions"),
        "model": body["model"],
        "output": [] if kind in ("no_output", "failed") else [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "usage": {
            "input_tokens": words_in,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": words_out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": words_in + words_out,
        },
        "metadata": body.get("metadata") or {},
    }


def _new_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
