"""The fal queue, as ``fal_client`` sees it: submit, status, result and cancel.

Submits go to a model's whole name, everything after goes to owner and alias only. The answers carry the urls that the
client follows. Files are served beside the queue (``fal_media``), without a key, as the vendor's CDN does.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.fal_errors import VendorRefusal, flat_error, http_error, named_error
from sandbox.fal_media import FalMedia
from sandbox.fault_kinds import MODEL_ERRORS, REQUEST_ERRORS, Operation
from sandbox.faults import Fault, unknown_words
from sandbox.http_faults import Connections, Dropped, broken_json, client_gone, early_answer
from sandbox.jobs import Job
from sandbox.models import MODELS
from sandbox.runner import checked_arguments
from sandbox.world import World

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
_BODY_METHODS: Final = ["POST"]


def fal_app(world: World, connections: Connections, base_url: str) -> Starlette:
    """The application; ``base_url`` is where it is served, ``https://127.0.0.1:PORT``."""
    queue = FalQueue(world, connections, base_url)
    media = FalMedia(world, connections)
    job = "/{owner}/{alias}/requests/{request_id}"
    return Starlette(
        routes=[
            Route("/files/{request_id}/{name}", media.file, methods=["GET"]),
            Route(job + "/status", queue.status, methods=["GET"]),
            Route(job + "/cancel", queue.cancel, methods=["PUT"]),
            Route(job, queue.result, methods=["GET"]),
            Route("/{model:path}", queue.submit, methods=_BODY_METHODS),
        ],
        exception_handlers={ClientDisconnect: client_gone},
    )


class FalQueue:
    """The four endpoints."""

    def __init__(self, world: World, connections: Connections, base_url: str) -> None:
        self._world = world
        self._connections = connections
        self._base_url = base_url

    async def submit(self, request: Request) -> Response:
        """Takes a job and answers with its urls."""
        self._world.counters["fal.submit"] += 1
        request_id = str(uuid.uuid4())
        try:
            self._check_key(request)
            job = await self._job_from(request, request_id)
        except VendorRefusal as refusal:
            return refusal.error.response(request_id)
        fault = self._world.faults.take("submit", job.prompt)
        early = await self._early(fault, request_id)
        if early is not None:
            return early
        if fault is not None and fault.kind == "model_not_found":
            return _model_not_found(job.model.name).error.response(request_id)
        if fault is not None and (fault.kind in MODEL_ERRORS or fault.kind in REQUEST_ERRORS):
            return named_error(fault.kind, job.prompt).response(request_id)
        if self._world.options.validate_at == "submit":
            try:
                checked_arguments(job)
            except VendorRefusal as refusal:
                return refusal.error.response(request_id)
        self._accept(job)
        late = await self._late(fault, request_id)
        return late or self._answer(job, self._state(job, with_logs=False), 200)

    async def status(self, request: Request) -> Response:
        """How far a job is: 202 until it is done, then 200."""
        found = await self._find(request, "status")
        if isinstance(found, Response):
            return found
        job, fault = found
        if fault is not None and fault.kind == "unknown_status":
            return self._answer(job, {"status": "PAUSED", "logs": None}, 200)
        state = self._state(job, with_logs=request.query_params.get("logs", "").lower() in ("true", "1"))
        return self._answer(job, state, 200 if job.status == "COMPLETED" else 202)

    async def result(self, request: Request) -> Response:
        """The bare output, or the error that the job ended with."""
        found = await self._find(request, "result")
        if isinstance(found, Response):
            return found
        job, _ = found
        if job.error is not None:
            return job.error.response(job.request_id)
        if job.payload is None:
            return flat_error(400, "Request is still in progress", "bad_request").response(job.request_id)
        return JSONResponse(job.payload, headers={"X-Fal-Request-Id": job.request_id})

    async def cancel(self, request: Request) -> Response:
        """Takes a job out of the queue, or asks for the end of one that is being made."""
        found = await self._find(request, "cancel")
        if isinstance(found, Response):
            return found
        job, fault = found
        kind = fault.kind if fault else ""
        if job.status == "COMPLETED" or kind == "already_completed":
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        self._world.runner.cancel(job, even_in_progress=kind == "obeyed")
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not given:
            text = "Authentication is required to access this application"
            raise VendorRefusal(flat_error(401, text, "unauthorized"))
        if given != f"Key {self._world.options.fal_key}":
            raise VendorRefusal(flat_error(401, "The key is not valid", "unauthorized"))

    async def _job_from(self, request: Request, request_id: str) -> Job:
        model = MODELS.get(request.path_params["model"].strip("/"))
        if model is None:
            raise _model_not_found(request.path_params["model"])
        arguments = await _json_object(request)
        prompt = arguments.get("prompt")
        if isinstance(prompt, str) and (unknown := unknown_words(prompt)):
            text = f"The prompt has words that the sandbox does not know: {', '.join(unknown)}"
            raise VendorRefusal(flat_error(400, text, "bad_request"))
        speed = self._world.options.speed
        return Job(
            model=model,
            arguments=arguments,
            webhook_url=request.query_params.get("fal_webhook", ""),
            queue_seconds=model.queue_seconds / speed,
            run_seconds=model.run_seconds / speed,
            request_id=request_id,
        )

    def _accept(self, job: Job) -> None:
        job.plan = self._world.faults.take("generation", job.prompt)
        self._world.counters["fal.submit.accepted"] += 1
        self._world.jobs.add(job)
        self._world.runner.accept(job)

    async def _early(self, fault: Fault | None, request_id: str) -> Response | None:
        return await early_answer(
            fault, self._world.background, self._connections, lambda code: http_error(code, request_id)
        )

    async def _late(self, fault: Fault | None, request_id: str) -> Response | None:
        """What a fault answers after the job was taken."""
        if fault is None or not fault.kind.endswith("_after"):
            return None
        kind = fault.kind.removesuffix("_after")
        if kind == "drop":
            return Dropped(self._connections)
        if kind == "slow":
            await self._world.background.pause(fault.seconds)
            return None
        if kind == "broken_json":
            return broken_json()
        return http_error(int(kind.removeprefix("http_")), request_id)

    async def _find(self, request: Request, operation: Operation) -> tuple[Job, Fault | None] | Response:
        """The job that a request is about, and the fault that goes with it; or the answer that ends it here."""
        self._world.counters[f"fal.{operation}"] += 1
        request_id = request.path_params["request_id"]
        try:
            self._check_key(request)
        except VendorRefusal as refusal:
            return refusal.error.response(request_id)
        job = self._world.jobs.get(request_id)
        fault = self._world.faults.take(operation, job.prompt if job else "")
        early = await self._early(fault, request_id)
        if early is not None:
            return early
        app = "{owner}/{alias}".format_map(request.path_params)
        gone = fault is not None and fault.kind == "not_found"
        if job is None or job.vanished or job.model.app != app or gone:
            return JSONResponse({"status": "NOT_FOUND", "detail": "Request not found"}, 404)
        if fault is not None and (fault.kind in MODEL_ERRORS or fault.kind in REQUEST_ERRORS):
            return named_error(fault.kind, job.prompt).response(request_id)
        return job, fault

    def _state(self, job: Job, *, with_logs: bool) -> dict[str, Any]:
        logs = job.log_lines() if with_logs else None
        if job.status == "IN_QUEUE":
            return {"status": "IN_QUEUE", "queue_position": job.queue_position, "logs": None, "metrics": {}}
        if job.status == "IN_PROGRESS":
            return {"status": "IN_PROGRESS", "logs": logs, "metrics": {}}
        state: dict[str, Any] = {"status": "COMPLETED", "logs": logs, "metrics": {"inference_time": job.run_seconds}}
        if job.error is not None:
            state |= {"error": job.error.message, "error_type": job.error.error_type}
        return state

    def _answer(self, job: Job, state: dict[str, Any], status: int) -> Response:
        url = f"{self._base_url}/{job.model.app}/requests/{job.request_id}"
        urls = {"response_url": url, "status_url": url + "/status", "cancel_url": url + "/cancel"}
        headers = {"X-Fal-Request-Id": job.request_id}
        return JSONResponse(state | {"request_id": job.request_id} | urls, status, headers)


def _model_not_found(name: str) -> VendorRefusal:
    return VendorRefusal(flat_error(404, f"Application '{name}' not found", "not_found"))


async def _json_object(request: Request) -> dict[str, Any]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            text = f"The body is longer than {MAX_BODY_BYTES} bytes"
            raise VendorRefusal(flat_error(413, text, "bad_request"))
    try:
        parsed = json.loads(bytes(body))
    except ValueError as error:
        raise VendorRefusal(flat_error(400, "The body is not JSON", "bad_request")) from error
    if not isinstance(parsed, dict):
        raise VendorRefusal(flat_error(400, "The body is not a JSON object", "bad_request"))
    return parsed
