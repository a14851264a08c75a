"""The files that jobs deliver: drawn when the job runs, kept while there is room, drawn again when asked for later.

A file's bytes follow from its ``DrawingSpec`` alone, so forgetting them loses nothing. Two requests for the same
file draw it once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from cachetools import LRUCache

from sandbox.background import in_executor
from sandbox.drawing import DrawingSpec, render
from sandbox.references import References


@dataclass(frozen=True)
class DrawnFile:
    """A delivered file.

    Attributes:
        name: the last part of its url.
        content_type: what it is.
        size_bytes: how long it is.
        spec: from which it is drawn.
    """

    name: str
    content_type: str
    size_bytes: int
    spec: DrawingSpec


class Studio:
    """Draws files in threads and keeps at most ``kept_bytes`` of them."""

    def __init__(self, executor: Executor, references: References, kept_bytes: int) -> None:
        self._executor = executor
        self._references = references
        self._kept: LRUCache[DrawingSpec, bytes] = LRUCache(kept_bytes, getsizeof=len)
        self._being_drawn: dict[DrawingSpec, asyncio.Future[bytes]] = {}

    async def draw(self, spec: DrawingSpec) -> bytes:
        """The bytes of a file."""
        kept = self._kept.get(spec)
        if kept is not None:
            return kept
        drawing = self._being_drawn.get(spec)
        if drawing is None:
            drawing = asyncio.ensure_future(self._draw(spec))
            self._being_drawn[spec] = drawing
            drawing.add_done_callback(lambda _: self._being_drawn.pop(spec, None))
        # One asker that goes away (a cancelled job) must not take the picture away from the others.
        return await asyncio.shield(drawing)

    async def _draw(self, spec: DrawingSpec) -> bytes:
        reference = self._references.get(spec.reference) if spec.reference else None
        drawn = await in_executor(self._executor, render, spec, reference)
        if len(drawn) <= self._kept.maxsize:
            self._kept[spec] = drawn
        return drawn

    async def close(self) -> None:
        """Waits for what is being drawn; a thread cannot be interrupted, and a drawing takes less than a second."""
        await asyncio.gather(*self._being_drawn.values(), return_exceptions=True)
