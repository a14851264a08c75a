"""News of an order: what was not shown yet gives way to what is newer."""

from __future__ import annotations

from clients.sdk import GenerationState
from clients.telegram.following import Newest
from tests.unit.clients.telegram.samples import a_generation


async def test_only_the_newest_waits() -> None:
    newest = Newest()
    newest.put(a_generation(GenerationState.QUEUED))
    newest.put(a_generation(GenerationState.PREPARING))
    newest.put(last := a_generation(GenerationState.SUCCEEDED))
    assert await newest.get() == last
    newest.put(again := a_generation(GenerationState.FAILED))
    assert await newest.get() == again
