"""The other parts that a worker calls: moderation, improver, media collector, reference pictures, progress board."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

from service.domain.errors import NotFound
from service.domain.generation.events import StoredMedia
from service.ports.media_store import CollectedOutput, MediaRejected, MediaUnavailable, ReferenceMedia
from service.ports.prompt_tools import ImprovedPrompt, ImprovementRefused, ModerationVerdict, ToolUnavailable
from tests.simulation.lines import Faults, Surroundings
from tests.simulation.vendor import Vendor

FORBIDDEN_WORD = "forbidden"
REFERENCE_ID = "reference-1"


class SimulatedPromptTools:
    def __init__(self, world: Surroundings) -> None:
        self._source = world.source("prompt_tools")
        self._moderation = Faults(world, "moderation", world.weather.tool_fault_rate, self._source)
        self._improver = Faults(world, "improver", world.weather.tool_fault_rate, self._source)

    async def moderate(self, prompt: str, *, user_id: str) -> ModerationVerdict | ToolUnavailable:
        await asyncio.sleep(self._source.expovariate(5))
        if self._moderation.out() or self._moderation.strikes():
            return await self._unwell("moderation")
        allowed = FORBIDDEN_WORD not in prompt
        return ModerationVerdict(allowed, () if allowed else ("violence",), "simulated-moderation")

    async def improve(
        self, prompt: str, *, generation_type: str, user_id: str
    ) -> ImprovedPrompt | ImprovementRefused | ToolUnavailable:
        await asyncio.sleep(self._source.expovariate(5))
        if self._improver.out() or self._improver.strikes():
            if self._source.random() < 0.2:
                return ImprovementRefused("it would rather not")
            return await self._unwell("improver")
        return ImprovedPrompt(f"{prompt}, in soft light", "simulated-improver")

    async def _unwell(self, tool: str) -> ToolUnavailable:
        how = self._source.choice(("fast", "slow", "defect"))
        if how == "defect":
            raise RuntimeError(f"a defect of the {tool} adapter")
        await asyncio.sleep(5.0 if how == "slow" else 0.0)
        return ToolUnavailable(f"{tool} is down")


class SimulatedMedia:
    """Collector and store. ``kept`` is what is really there, by key: its sha256."""

    def __init__(self, world: Surroundings, vendor: Vendor) -> None:
        self.kept: dict[str, str] = {}
        self._vendor = vendor
        self._source = world.source("media")
        self._faults = Faults(world, "media", world.weather.media_fault_rate / 2, self._source)

    async def collect(self, url: str, *, generation_id: str, index: int) -> CollectedOutput:
        await asyncio.sleep(self._source.expovariate(3))
        if self._faults.out() or self._faults.strikes():
            raise MediaUnavailable("the connection broke")
        match self._vendor.fate(url, self._source):
            case "rejected":
                raise MediaRejected("this is HTML")
            case "gone":
                raise MediaUnavailable("404")
        media = await self._keep(f"outputs/{generation_id}/{index}.png", url)
        thumbnail = await self._keep(f"thumbnails/{generation_id}/{index}.webp", url)
        return CollectedOutput(kind="image", media=media, thumbnail=thumbnail)

    async def _keep(self, key: str, content: str) -> StoredMedia:
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        self.kept[key] = sha256
        await asyncio.sleep(0)
        return StoredMedia(
            key=key, content_type="image/png", size_bytes=len(content), sha256=sha256, width=8, height=8
        )

    async def read(
        self, key: str, *, start: int = 0, end: int | None = None, chunk_size_bytes: int = 262_144
    ) -> AsyncIterator[bytes]:
        if key not in self.kept:
            raise NotFound("media", key)
        yield self.kept[key].encode()[start:end]

    async def save_reference(self, user_id: str, content: bytes) -> ReferenceMedia:
        return _reference()

    async def find_reference(self, user_id: str, media_id: str) -> ReferenceMedia | None:
        await asyncio.sleep(0)
        return _reference() if media_id == REFERENCE_ID else None

    async def read_reference(self, user_id: str, media_id: str) -> tuple[bytes, str]:
        await asyncio.sleep(0)
        if self._faults.out() or self._faults.strikes():
            raise MediaUnavailable("the connection broke")
        return b"a picture", "image/png"


def _reference() -> ReferenceMedia:
    return ReferenceMedia(media_id=REFERENCE_ID, content_type="image/png", size_bytes=9, width=8, height=8)


class NoProgress:
    """Takes the vendor's passing reports and forgets them: nothing may be decided on them."""

    async def report(self, generation_id: str, *, queue_position: int | None, log_line: str) -> None:
        await asyncio.sleep(0)
