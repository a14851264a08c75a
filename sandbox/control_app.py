"""The control API: order faults, look at jobs, close ports. Tests use it through ``sandbox.control``.

It is a server of its own, so that what it does to the vendors' servers cannot hit itself. It also serves the webhook
keys (JWKS), as the vendor serves them from another host than the queue.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.fault_orders import UnknownFault
from sandbox.http_faults import client_gone
from sandbox.listener import Listener
from sandbox.world import World

JWKS_PATH = "/.well-known/jwks.json"


def control_app(world: World, listeners: Mapping[str, Listener]) -> Starlette:
    """The application; ``listeners`` are the servers that can be closed, by name."""
    control = Control(world, listeners)
    return Starlette(
        routes=[
            Route(JWKS_PATH, control.jwks, methods=["GET"]),
            Route("/sandbox/faults", control.list_faults, methods=["GET"]),
            Route("/sandbox/faults", control.order_fault, methods=["POST"]),
            Route("/sandbox/faults", control.clear_faults, methods=["DELETE"]),
            Route("/sandbox/jobs", control.list_jobs, methods=["GET"]),
            Route("/sandbox/jobs/{request_id}/webhook", control.announce_again, methods=["POST"]),
            Route("/sandbox/submissions", control.submissions, methods=["GET"]),
            Route("/sandbox/deliveries", control.deliveries, methods=["GET"]),
            Route("/sandbox/counters", control.counters, methods=["GET"]),
            Route("/sandbox/listening", control.listen, methods=["POST"]),
            Route("/sandbox/reset", control.reset, methods=["POST"]),
        ],
        exception_handlers={ClientDisconnect: client_gone},
    )


class Control:
    """The endpoints."""

    def __init__(self, world: World, listeners: Mapping[str, Listener]) -> None:
        self._world = world
        self._listeners = listeners

    async def jwks(self, request: Request) -> Response:
        self._world.counters["jwks"] += 1
        return JSONResponse(self._world.keys.jwks())

    async def list_faults(self, request: Request) -> Response:
        return JSONResponse(self._world.faults.outstanding())

    async def order_fault(self, request: Request) -> Response:
        """``{operation, kind, count?, seconds?, match?}``."""
        body = await _object(request)
        allowed = {"operation", "kind", "count", "seconds", "match"}
        if body is None or not {"operation", "kind"} <= set(body) <= allowed:
            return _wrong(
                "The body must be a JSON object with operation, kind and, if wanted, count, seconds, match."
            )
        try:
            self._world.faults.order(**body)
        except (UnknownFault, TypeError) as error:
            return _wrong(str(error))
        return JSONResponse({}, 201)

    async def clear_faults(self, request: Request) -> Response:
        self._world.faults.clear()
        return JSONResponse({})

    async def list_jobs(self, request: Request) -> Response:
        """All jobs, or those whose webhook url contains ``webhook``."""
        wanted = request.query_params.get("webhook", "")
        return JSONResponse([job.view() for job in self._world.jobs.all() if wanted in job.webhook_url])

    async def announce_again(self, request: Request) -> Response:
        """Sends a finished job's webhook once more."""
        job = self._world.jobs.get(request.path_params["request_id"])
        if job is None:
            return JSONResponse({"detail": "There is no such job."}, 404)
        if job.finished_at is None or not job.webhook_url:
            return _wrong("The job has not ended, or it has no webhook url.")
        self._world.webhooks.announce_again(job)
        return JSONResponse({}, 202)

    async def submissions(self, request: Request) -> Response:
        """How many jobs were created for each webhook url: the proof that nothing was submitted twice."""
        return JSONResponse(dict(Counter(job.webhook_url for job in self._world.jobs.all())))

    async def deliveries(self, request: Request) -> Response:
        return JSONResponse(self._world.webhooks.deliveries())

    async def counters(self, request: Request) -> Response:
        return JSONResponse(dict(self._world.counters))

    async def listen(self, request: Request) -> Response:
        """``{server: fal|openai, open: bool}``: closes or opens a port."""
        body = await _object(request) or {}
        listener = self._listeners.get(str(body.get("server")))
        if listener is None or not isinstance(body.get("open"), bool):
            return _wrong("The body must have server (fal or openai) and open (true or false).")
        if body["open"]:
            await listener.accept()
        else:
            listener.refuse()
        return JSONResponse({})

    async def reset(self, request: Request) -> Response:
        """Forgets jobs, faults, deliveries and counters, and opens every port."""
        self._world.faults.clear()
        self._world.jobs.clear()
        self._world.webhooks.clear()
        self._world.counters.clear()
        for listener in self._listeners.values():
            await listener.accept()
        return JSONResponse({})


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _wrong(text: str) -> Response:
    return JSONResponse({"detail": text}, 400)
