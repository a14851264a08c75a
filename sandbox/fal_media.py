"""The vendor's CDN: the files of jobs, by job and name, and everything that can be wrong with a download."""

from __future__ import annotations

from random import Random
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sandbox.fal_errors import http_error
from sandbox.http_faults import Connections, Dropped, Truncated, endless
from sandbox.media import DrawnFile
from sandbox.world import World

_PAGE: Final = "<!doctype html><html><title>File not available</title><p>This file is not available here.</p></html>"
_HEAD_BYTES: Final = 24
_NOISE_BYTES: Final = 4096


class FalMedia:
    """Serves files."""

    def __init__(self, world: World, connections: Connections) -> None:
        self._world = world
        self._connections = connections

    async def file(self, request: Request) -> Response:
        """One delivered file."""
        self._world.counters["fal.media"] += 1
        job = self._world.jobs.get(request.path_params["request_id"])
        file = job.files.get(request.path_params["name"]) if job else None
        if job is None or file is None:
            return PlainTextResponse("Not found", 404)
        fault = self._world.faults.take("media", job.prompt)
        if fault is not None and fault.kind == "slow":
            await self._world.background.pause(fault.seconds)
        if fault is not None and fault.kind == "drop":
            return Dropped(self._connections)
        content = await self._world.studio.draw(file.spec)
        return self._answer(file, content, fault.kind if fault else "")

    def _answer(self, file: DrawnFile, content: bytes, fault: str) -> Response:
        kind = file.content_type
        if fault in ("huge", "endless"):
            return endless(self._world.background, content, kind, announced=fault == "huge")
        if fault == "truncated":
            return Truncated(self._connections, content, kind)
        if fault.startswith("http_"):
            return http_error(int(fault.removeprefix("http_")), "")
        if fault == "html":
            return HTMLResponse(_PAGE)
        if fault == "not_found":
            return PlainTextResponse("Not found", 404)
        noise = Random(1).randbytes(_NOISE_BYTES)
        bodies = {"text": b"This is not a picture.", "corrupt": content[:_HEAD_BYTES] + noise, "empty": b""}
        announced = "application/octet-stream" if fault == "wrong_type" else kind
        return Response(bodies.get(fault, content), media_type=announced)
