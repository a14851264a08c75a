"""The API as the service runs it, on a real database, and a client of it. No worker runs: the tests play its part."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import grpc
from PIL import Image
from psycopg.conninfo import conninfo_to_dict
from triptych.v1 import credit_service_pb2, generation_service_pb2
from triptych.v1.admin_service_pb2_grpc import AdminServiceStub
from triptych.v1.credit_service_pb2_grpc import CreditServiceStub
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub
from triptych.v1.generation_pb2 import Generation
from triptych.v1.generation_service_pb2_grpc import GenerationServiceStub
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from service.adapters.media import ObjectMediaStore
from service.api.dependencies import Core
from service.api.server import ServerOptions, build_server
from service.application.execute import Context
from service.bootstrap import running
from service.config import Settings
from service.domain.generation import outcome, progress
from service.domain.generation.events import FailureReason, StoredMedia
from service.domain.generation.outcome import Delivered
from tests.support.samples import NOW, after

BOUND_SECONDS = 60.0
WORKER = Context(actor="worker")

_numbers = itertools.count(1)


def fresh_name(prefix: str = "user") -> str:
    """An id that no other test of this process uses."""
    return f"{prefix}-{next(_numbers)}"


def picture(colour: str = "red", size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """The bytes of a real picture."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def settings_for(conninfo: str, data_dir: Path, **changes: Any) -> Settings:
    """An API and the projections on a database of the tests, on a free port."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value is not None}
    url = f"postgresql:///{quote(parameters.pop('dbname'))}?{urlencode(parameters)}"
    given: dict[str, Any] = {
        "event_store": url,
        "data_dir": data_dir,
        "roles": frozenset({"api", "projector"}),
        "api_port": 0,
        "pool_size": 8,
    }
    return Settings(**(given | changes))


class Api:
    """A client with all stubs, and the hands of a worker. Calls are bounded; answers are as they came."""

    def __init__(self, core: Core, channel: grpc.aio.Channel, address: str) -> None:
        self.core = core
        self.address = address
        # Stubs of a channel of grpc.aio; typed loosely, because their calls take further keywords.
        self.generations: Any = GenerationServiceStub(channel)
        self.credits: Any = CreditServiceStub(channel)
        self.gallery: Any = GalleryServiceStub(channel)
        self.history: Any = HistoryServiceStub(channel)
        self.admin: Any = AdminServiceStub(channel)

    async def user_with(self, credits: int) -> str:
        """A new user with credits."""
        user_id = fresh_name()
        await self.credits.GrantCredits(
            credit_service_pb2.GrantCreditsRequest(user_id=user_id, grant_id="first", credits=credits),
            timeout=BOUND_SECONDS,
        )
        return user_id

    async def request(self, user_id: str, **changes: Any) -> generation_service_pb2.RequestGenerationResponse:
        """Asks for one picture, unless told otherwise."""
        given = {"request_id": fresh_name("request"), "type": "imagen4", "prompt": "a red fox in the snow"}
        request = generation_service_pb2.RequestGenerationRequest(user_id=user_id, **(given | changes))
        response: generation_service_pb2.RequestGenerationResponse = await self.generations.RequestGeneration(
            request, timeout=BOUND_SECONDS
        )
        return response

    async def made(self, user_id: str, **changes: Any) -> Generation:
        """A generation all of whose outputs were delivered."""
        response = await self.request(user_id, **changes)
        await self.deliver(response.generation, response.generation.output_count)
        return response.generation

    async def prepare(self, generation: Generation, words: str = "") -> int:
        """As far as the words for the vendor are settled; improved ones if given. Returns the position."""
        await self._step(generation, lambda state: progress.pass_prompt(state, model="m", skipped=False))
        return await self._step(
            generation,
            lambda state: progress.settle_prompt(
                state,
                prompt=words or generation.prompt,
                source="improved" if words else "own_words",
                own_words_reason="" if words else "unavailable",
            ),
        )

    async def submit(self, generation: Generation, words: str = "") -> int:
        """As far as the vendor has it. Returns the position."""
        await self.prepare(generation, words)
        await self._step(generation, lambda state: progress.start_submission(state, now=NOW, grace_until=after(120)))
        return await self._step(
            generation,
            lambda state: progress.record_submitted(state, provider_request_id="job-1", learned_from_webhook=False),
        )

    async def deliver(self, generation: Generation, count: int) -> int:
        """Ends it with ``count`` outputs whose files are really in the media store. Returns the position."""
        outputs = [await self._output(generation.generation_id, index) for index in range(count)]
        return await self._end(
            generation, lambda account, state: outcome.end_delivered(account, state, delivered=outputs)
        )

    async def fail(self, generation: Generation, reason: FailureReason, detail: str = "") -> int:
        return await self._end(
            generation, lambda account, state: outcome.end_failed(account, state, reason=reason, detail=detail)
        )

    async def cancel_at_vendor(self, generation: Generation) -> int:
        return await self._end(
            generation, lambda account, state: outcome.end_cancelled(account, state, actor="worker")
        )

    async def refuse_cancellation(self, generation: Generation, why: str) -> int:
        return await self._step(generation, lambda state: progress.refuse_cancellation(state, why=why))

    async def _step(self, generation: Generation, decide: Callable[[Any], Sequence[Any]]) -> int:
        found = await self.core.generations.step(generation.generation_id, decide, WORKER)
        return found.position

    async def _end(self, generation: Generation, decide: Callable[[Any, Any], Any]) -> int:
        found = await self.core.generations.end(generation.user_id, generation.generation_id, decide, WORKER)
        return found.position

    async def _output(self, generation_id: str, index: int) -> Delivered:
        media = await self._keep(f"{generation_id}/{index}.png", picture("red", (64, 48)), (64, 48))
        thumbnail = await self._keep(f"{generation_id}/{index}-small.png", picture("red", (16, 12)), (16, 12))
        return Delivered(index=index, kind="image", media=media, thumbnail=thumbnail, seed=7)

    async def _keep(self, key: str, content: bytes, size: tuple[int, int]) -> StoredMedia:
        if not isinstance(self.core.media, ObjectMediaStore):
            raise TypeError("these tests put files into the service's own media store")
        await self.core.media.put(key, content, "image/png")
        return StoredMedia(
            key=key,
            content_type="image/png",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            width=size[0],
            height=size[1],
        )


@asynccontextmanager
async def running_api(settings: Settings) -> AsyncIterator[Api]:
    """The service with these settings, and a client of it."""
    async with (
        running(settings) as system,
        grpc.aio.insecure_channel(system.api_address) as channel,
    ):
        yield Api(system.shared.core, channel, system.api_address)


@asynccontextmanager
async def another_server(core: Core, options: ServerOptions | None = None) -> AsyncIterator[Api]:
    """A second server on the same core, such as an impatient one, and a client of it."""
    server = build_server(core, options or ServerOptions(port=0))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Api(core, channel, server.address)
    finally:
        await server.stop(grace_seconds=0.0)


async def bounded(stream: AsyncIterator[Any]) -> Any:
    """The next message of a stream, within the tests' patience."""
    async with asyncio.timeout(BOUND_SECONDS):
        return await anext(stream)
