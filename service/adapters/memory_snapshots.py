"""``service.ports.snapshots`` in memory: the same contract, for tests."""

from __future__ import annotations

import asyncio

from service.ports.snapshots import Snapshot


class MemorySnapshots:
    def __init__(self) -> None:
        self.kept: dict[str, Snapshot] = {}

    async def load(self, stream: str) -> Snapshot | None:
        await asyncio.sleep(0)
        return self.kept.get(stream)

    async def save(self, snapshot: Snapshot) -> None:
        await asyncio.sleep(0)
        kept = self.kept.get(snapshot.stream)
        if kept is None or kept.state_version != snapshot.state_version or kept.version < snapshot.version:
            self.kept[snapshot.stream] = snapshot
